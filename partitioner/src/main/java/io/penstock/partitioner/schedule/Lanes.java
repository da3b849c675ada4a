package io.penstock.partitioner.schedule;

import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Messages on their way, first in first out between two ranks and of one kind. A message is (receiving stage, micro-batch). */
final class Lanes {
    static final int ACTIVATION = 0;
    static final int GRADIENT = 1;
    static final long EMPTY = -1;

    private record Lane(int from, int to, int kind) {
        @Override
        public String toString() {
            return "rank " + from + " to rank " + to + (kind == ACTIVATION ? ", activations" : ", gradients");
        }
    }

    private final Map<Lane, ArrayDeque<Long>> queues = new HashMap<>();
    private final int ranks;
    private final int capacity;

    Lanes(int ranks, int capacity) {
        this.ranks = ranks;
        this.capacity = capacity;
    }

    static long message(int stage, int microBatch) {
        return (long) stage << 32 | microBatch;
    }

    static String describe(long message) {
        return "micro-batch " + (int) message + " for stage " + (message >> 32);
    }

    private ArrayDeque<Long> queue(int from, int to, int kind) {
        return queues.computeIfAbsent(new Lane(from, to, kind), lane -> new ArrayDeque<>());
    }

    /** False if the lane is full. */
    boolean send(int from, int to, int kind, int stage, int microBatch) {
        if (to < 0 || to >= ranks) {
            return true; // StageProgress has said that this peer is wrong
        }
        ArrayDeque<Long> queue = queue(from, to, kind);
        if (queue.size() >= capacity) {
            return false;
        }
        queue.add(message(stage, microBatch));
        return true;
    }

    long oldest(int from, int to, int kind) {
        Long message = queue(from, to, kind).peek();
        return message == null ? EMPTY : message;
    }

    void take(int from, int to, int kind) {
        queue(from, to, kind).remove();
    }

    void leftOver(List<Verdict.Problem> problems) {
        queues.forEach((lane, queue) -> queue.forEach(message -> problems.add(
                new Verdict.Problem(lane.from(), describe(message) + " is sent (" + lane + ") but never received"))));
    }
}
