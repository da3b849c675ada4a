package io.penstock.transport;

import java.lang.foreign.MemorySegment;

/**
 * One pass of an operation over its data, chunk by chunk: what is sent and received for a chunk, and what is done when its pieces are
 * here. Every rank takes the same chunks in the same order.
 */
sealed interface CollectivePass
        permits CollectivePass.Barrier,
                CollectivePass.Broadcast,
                CollectivePass.AllGather,
                CollectivePass.Gather,
                CollectivePass.GatherShards,
                PlacesPass,
                DirectReducePass,
                ReduceScatterPass {
    /** Bytes in which a broadcast goes from rank to rank. */
    long BROADCAST_BYTES = 1 << 20;

    long chunks(Group group, Operation operation);

    void post(Group group, Operation operation, int round, int chunk, CollectiveSlot slot);

    /** After all receives of the chunk. */
    default void arrived(Group group, Operation operation, int round, int chunk, CollectiveSlot slot) {}

    /** An empty message to and from each. */
    record Barrier() implements CollectivePass {
        private static final Tag TAG = new Tag(Kind.COLLECTIVE, 0);

        @Override
        public long chunks(Group group, Operation operation) {
            return 1;
        }

        @Override
        public void post(Group group, Operation operation, int round, int chunk, CollectiveSlot slot) {
            for (int i = 1; i < group.size(); i++) {
                slot.receive(group.before(i), TAG, round, chunk, operation.data, 0, 0);
                slot.send(group.after(i), TAG, round, chunk, operation.data, 0, 0);
            }
        }
    }

    /** From rank to rank, a chain that starts at the root: each takes the data once and gives them on once. */
    record Broadcast() implements CollectivePass {
        private static final Tag TAG = new Tag(Kind.COLLECTIVE, 1);

        @Override
        public long chunks(Group group, Operation operation) {
            return Math.max(1, Math.ceilDiv(operation.length, BROADCAST_BYTES));
        }

        @Override
        public void post(Group group, Operation operation, int round, int chunk, CollectiveSlot slot) {
            if (group.self() == operation.root) {
                passOn(group, operation, round, chunk, slot);
            } else {
                int previous = Math.floorMod(group.self() - 1, group.size());
                slot.receive(
                        previous, TAG, round, chunk, operation.data, begin(operation, chunk), bytes(operation, chunk));
            }
        }

        @Override
        public void arrived(Group group, Operation operation, int round, int chunk, CollectiveSlot slot) {
            if (group.self() != operation.root) {
                passOn(group, operation, round, chunk, slot);
            }
        }

        private static void passOn(Group group, Operation operation, int round, int chunk, CollectiveSlot slot) {
            int next = (group.self() + 1) % group.size();
            if (next != operation.root) {
                slot.send(next, TAG, round, chunk, operation.data, begin(operation, chunk), bytes(operation, chunk));
            }
        }

        private static long begin(Operation operation, int chunk) {
            return operation.offset + chunk * BROADCAST_BYTES;
        }

        private static long bytes(Operation operation, int chunk) {
            return Math.min(BROADCAST_BYTES, operation.length - chunk * BROADCAST_BYTES);
        }
    }

    /** The block of each to each. */
    record AllGather() implements CollectivePass {
        private static final Tag TAG = new Tag(Kind.COLLECTIVE, 2);

        @Override
        public long chunks(Group group, Operation operation) {
            return 1;
        }

        @Override
        public void post(Group group, Operation operation, int round, int chunk, CollectiveSlot slot) {
            long length = operation.length;
            for (int i = 1; i < group.size(); i++) {
                int from = group.before(i);
                slot.receive(from, TAG, round, chunk, operation.result, from * length, length);
                slot.send(group.after(i), TAG, round, chunk, operation.data, operation.offset, length);
            }
            MemorySegment.copy(operation.data, operation.offset, operation.result, group.self() * length, length);
        }
    }

    /** The block of each to the root. */
    record Gather() implements CollectivePass {
        private static final Tag TAG = new Tag(Kind.COLLECTIVE, 5);

        @Override
        public long chunks(Group group, Operation operation) {
            return 1;
        }

        @Override
        public void post(Group group, Operation operation, int round, int chunk, CollectiveSlot slot) {
            long length = operation.length;
            if (group.self() != operation.root) {
                slot.send(operation.root, TAG, round, chunk, operation.data, operation.offset, length);
                return;
            }
            for (int i = 0; i < group.size(); i++) {
                slot.receive(i, TAG, round, chunk, operation.result, i * length, length);
            }
            MemorySegment.copy(operation.data, operation.offset, operation.result, group.self() * length, length);
        }
    }

    /** The shard of each to each, in place, a part a chunk. */
    record GatherShards() implements CollectivePass {
        private static final Tag TAG = new Tag(Kind.COLLECTIVE, 4);

        @Override
        public long chunks(Group group, Operation operation) {
            return operation.partCount();
        }

        @Override
        public void post(Group group, Operation operation, int round, int chunk, CollectiveSlot slot) {
            for (int i = 1; i < group.size(); i++) {
                int from = group.before(i);
                long begin = operation.shardBegin(chunk, group.size(), from);
                long length = operation.shardBegin(chunk, group.size(), from + 1) - begin;
                slot.receive(from, TAG, round, chunk, operation.data, begin, length);
            }
            long begin = operation.shardBegin(chunk, group.size(), group.self());
            long length = operation.shardBegin(chunk, group.size(), group.self() + 1) - begin;
            for (int i = 1; i < group.size(); i++) {
                slot.send(group.after(i), TAG, round, chunk, operation.data, begin, length);
            }
        }
    }
}
