package io.penstock.partitioner;

/**
 * The three axes of ranks: tensor fastest, then data, then pipeline, so that ranks that talk most are neighbours.
 *
 * <pre>
 * rank = (pipeline rank * data + replica) * tensor + tensor rank
 * </pre>
 */
public record Axes(int tensor, int data, int pipeline) {
    public Axes {
        if (tensor < 1 || data < 1 || pipeline < 1) {
            throw new PlanException(
                    "tensor=" + tensor + " data=" + data + " pipeline=" + pipeline + ": each is at least 1");
        }
    }

    public int ranks() {
        return Math.multiplyExact(Math.multiplyExact(tensor, data), pipeline);
    }

    public int rank(int pipelineRank, int replica, int tensorRank) {
        return (pipelineRank * data + replica) * tensor + tensorRank;
    }

    public int tensorRank(int rank) {
        return rank % tensor;
    }

    public int replica(int rank) {
        return rank / tensor % data;
    }

    public int pipelineRank(int rank) {
        return rank / (tensor * data);
    }

    /** The ranks that share the layers of {@code rank}, in order of their parts. */
    public int[] tensorGroup(int rank) {
        int[] group = new int[tensor];
        for (int i = 0; i < tensor; i++) {
            group[i] = rank(pipelineRank(rank), replica(rank), i);
        }
        return group;
    }

    /** The ranks that hold the same part of the model as {@code rank}, in order of replicas. */
    public int[] dataGroup(int rank) {
        int[] group = new int[data];
        for (int i = 0; i < data; i++) {
            group[i] = rank(pipelineRank(rank), i, tensorRank(rank));
        }
        return group;
    }

    /** The rank of another stage of the same pipeline. */
    public int atStage(int rank, int otherPipelineRank) {
        return rank(otherPipelineRank, replica(rank), tensorRank(rank));
    }
}
