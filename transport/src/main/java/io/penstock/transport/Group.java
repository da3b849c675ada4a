package io.penstock.transport;

import java.util.Arrays;

/**
 * Ranks that work together, and this one among them.
 *
 * @param ranks ascending
 * @param self the place of this rank
 */
record Group(Endpoint endpoint, int[] ranks, int self) {
    static Group of(Endpoint endpoint, int[] ranks) {
        int found = -1;
        for (int i = 0; i < ranks.length; i++) {
            if (i > 0 && ranks[i - 1] >= ranks[i]) {
                throw new IllegalArgumentException("ranks of a group must ascend: " + Arrays.toString(ranks));
            }
            found = ranks[i] == endpoint.rank() ? i : found;
        }
        if (found < 0) {
            throw new IllegalArgumentException(
                    "rank " + endpoint.rank() + " is not in the group " + Arrays.toString(ranks));
        }
        return new Group(endpoint, ranks.clone(), found);
    }

    int size() {
        return ranks.length;
    }
}
