package io.penstock.engine.planning;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletionService;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorCompletionService;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.IntFunction;

/** Ranks that measure together, each in a thread of its own. */
final class AtOnce {
    private AtOnce() {}

    /** What each found, in no order. Throws what the first that failed has thrown, after the others were interrupted and have ended. */
    static <T> List<T> run(int ranks, IntFunction<Callable<T>> rank) {
        List<T> found = new ArrayList<>();
        try (ExecutorService pool = Executors.newFixedThreadPool(ranks)) {
            CompletionService<T> running = new ExecutorCompletionService<>(pool);
            for (int i = 0; i < ranks; i++) {
                running.submit(rank.apply(i));
            }
            try {
                while (found.size() < ranks) {
                    found.add(running.take().get());
                }
            } catch (ExecutionException e) {
                pool.shutdownNow();
                throw failure(e);
            } catch (InterruptedException e) {
                pool.shutdownNow();
                Thread.currentThread().interrupt();
                throw new IllegalStateException("interrupted while measuring", e);
            }
        }
        return found;
    }

    private static RuntimeException failure(ExecutionException failed) {
        return switch (failed.getCause()) {
            case RuntimeException e -> e;
            case Error e -> throw e;
            case null, default -> new IllegalStateException("measuring this machine", failed);
        };
    }
}
