package io.penstock.transport;

/** How the shards of an operation's data are cut into chunks of so many bytes; the same on every rank. */
record ShardPieces(long chunkBytes) {
    /** Chunks of the longest shard. */
    long chunks(Group group, Operation operation) {
        return Math.ceilDiv(Collectives.shardBegin(elements(operation), group.size(), 1), chunkElements(operation));
    }

    /** Where a chunk of the shard of a rank of the group begins, from the beginning of the operation's data. */
    long begin(Group group, Operation operation, int index, int chunk) {
        long first =
                Collectives.shardBegin(elements(operation), group.size(), index) + chunk * chunkElements(operation);
        return first * operation.elementBytes;
    }

    long bytes(Group group, Operation operation, int index, int chunk) {
        long shard = Collectives.shardBegin(elements(operation), group.size(), index + 1)
                - Collectives.shardBegin(elements(operation), group.size(), index);
        long piece = Math.clamp(shard - chunk * chunkElements(operation), 0L, chunkElements(operation));
        return piece * operation.elementBytes;
    }

    private static long elements(Operation operation) {
        return operation.length / operation.elementBytes;
    }

    private long chunkElements(Operation operation) {
        return chunkBytes / operation.elementBytes;
    }
}
