package io.penstock.transport;

import java.util.List;

/**
 * Who takes part in a run; the result of the rendezvous, the same on every rank.
 *
 * @param job a random number for this run, carried by every frame
 * @param epoch rises when a run is put together anew; frames of another epoch are refused
 * @param members all ranks, in order
 */
public record Membership(long job, int epoch, List<Member> members) {
    public Membership {
        members = List.copyOf(members);
        for (int rank = 0; rank < members.size(); rank++) {
            if (members.get(rank).rank() != rank) {
                throw new IllegalArgumentException(
                        "member " + rank + " has rank " + members.get(rank).rank());
            }
        }
        if (members.isEmpty()) {
            throw new IllegalArgumentException("no members");
        }
    }

    public int worldSize() {
        return members.size();
    }

    public Member member(int rank) {
        return members.get(rank);
    }
}
