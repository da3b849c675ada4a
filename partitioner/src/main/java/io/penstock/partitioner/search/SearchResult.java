package io.penstock.partitioner.search;

import io.penstock.partitioner.estimate.Estimate;
import java.util.List;

/**
 * What the search found.
 *
 * @param best the fastest that fit, fastest first; empty if none does
 * @param remedies if none fits: the smallest changes of one thing that would make it fit, each a sentence with numbers
 * @param layouts how many layouts were there
 * @param simulated how many of them had to be simulated; the rest could not be among the best
 */
public record SearchResult(List<Estimate> best, List<String> remedies, int layouts, int simulated) {
    public SearchResult {
        best = List.copyOf(best);
        remedies = List.copyOf(remedies);
    }
}
