package io.penstock.transport.rendezvous;

import io.penstock.transport.Member;
import java.util.Objects;

/**
 * What a rank brings along; all but the member must be the same on every rank.
 *
 * @param job the name of the run
 * @param version of Penstock
 * @param worldSize how many ranks this one expects
 * @param configuration the resolved configuration as text, compared line by line
 */
public record JoinRequest(String job, String version, int worldSize, String configuration, Member member) {
    public JoinRequest {
        Objects.requireNonNull(job);
        Objects.requireNonNull(version);
        Objects.requireNonNull(configuration);
        Objects.requireNonNull(member);
        if (member.rank() >= worldSize) {
            throw new IllegalArgumentException("rank=" + member.rank() + " >= worldSize=" + worldSize);
        }
    }
}
