package io.penstock.transport;

/** How the shards of an operation's parts are cut into chunks of so many bytes, part after part; the same on every rank. */
record ShardPieces(long chunkBytes) {
    /** Of all parts. */
    long chunks(Group group, Operation operation) {
        long chunks = 0;
        for (int part = 0; part < operation.partCount(); part++) {
            chunks += chunks(group, operation, part);
        }
        return chunks;
    }

    /** Of the longest shard of a part. */
    private long chunks(Group group, Operation operation, int part) {
        long longest = Collectives.shardBegin(operation.partElements(part), group.size(), 1);
        return Math.ceilDiv(longest, chunkElements(operation));
    }

    private int partOf(Group group, Operation operation, int chunk) {
        int part = 0;
        for (long before = chunks(group, operation, part); before <= chunk; before += chunks(group, operation, part)) {
            part++;
        }
        return part;
    }

    private long chunksBefore(Group group, Operation operation, int part) {
        long chunks = 0;
        for (int i = 0; i < part; i++) {
            chunks += chunks(group, operation, i);
        }
        return chunks;
    }

    /** Where a chunk of the shard of a rank of the group begins in the operation's data. */
    long begin(Group group, Operation operation, int index, int chunk) {
        int part = partOf(group, operation, chunk);
        long first = (chunk - chunksBefore(group, operation, part)) * chunkElements(operation);
        return operation.shardBegin(part, group.size(), index) + first * operation.elementBytes;
    }

    long bytes(Group group, Operation operation, int index, int chunk) {
        int part = partOf(group, operation, chunk);
        long first = (chunk - chunksBefore(group, operation, part)) * chunkElements(operation);
        long shard =
                operation.shardBegin(part, group.size(), index + 1) - operation.shardBegin(part, group.size(), index);
        return Math.clamp(
                shard - first * operation.elementBytes, 0L, chunkElements(operation) * operation.elementBytes);
    }

    private long chunkElements(Operation operation) {
        return chunkBytes / operation.elementBytes;
    }
}
