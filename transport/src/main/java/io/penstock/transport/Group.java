package io.penstock.transport;

import java.util.Arrays;

/** Ranks that work together, and this one among them. */
final class Group {
    private final Endpoint endpoint;
    private final int[] ranks;
    private final int self;

    /** The ranks must ascend and hold that of the endpoint. */
    Group(Endpoint endpoint, int[] ranks) {
        this.endpoint = endpoint;
        this.ranks = ranks.clone();
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
        this.self = found;
    }

    Endpoint endpoint() {
        return endpoint;
    }

    int size() {
        return ranks.length;
    }

    /** The place of this rank. */
    int self() {
        return self;
    }

    /** The place so many after this one, in a ring; who sends to all begins with the next, so that not all send to the first at once. */
    int after(int places) {
        return (self + places) % ranks.length;
    }

    int before(int places) {
        return Math.floorMod(self - places, ranks.length);
    }

    int rank(int index) {
        return ranks[index];
    }
}
