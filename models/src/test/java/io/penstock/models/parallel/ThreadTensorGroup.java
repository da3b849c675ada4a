package io.penstock.models.parallel;

import io.penstock.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BrokenBarrierException;
import java.util.concurrent.Callable;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;
import java.util.function.IntFunction;

/** The tensor group of ranks that are threads of one test: what is started happens when all of them await it, in double and in order of indices. */
public final class ThreadTensorGroup implements TensorGroup {
    private static final long TIMEOUT_S = 60;

    private enum Operation {
        ALL_REDUCE,
        REDUCE_SCATTER,
        ALL_GATHER
    }

    private record Started(Operation operation, Tensor tensor) {}

    /** What the ranks of a group have in common. */
    private static final class Meeting {
        final CyclicBarrier barrier;
        final List<List<Started>> startedOf = new ArrayList<>();

        Meeting(int size) {
            barrier = new CyclicBarrier(size);
            for (int i = 0; i < size; i++) {
                startedOf.add(new ArrayList<>());
            }
        }

        void meet() {
            try {
                barrier.await(TIMEOUT_S, TimeUnit.SECONDS);
            } catch (InterruptedException | BrokenBarrierException | TimeoutException e) {
                throw new IllegalStateException("a rank of the group did not come", e);
            }
        }
    }

    private final Meeting meeting;
    private final int index;

    private ThreadTensorGroup(Meeting meeting, int index) {
        this.meeting = meeting;
        this.index = index;
    }

    /** Runs a body on each rank of a group, each in its own thread; the results in order of indices. */
    public static <X> List<X> run(int size, Function<TensorGroup, X> body) {
        Meeting meeting = new Meeting(size);
        return threads(size, i -> () -> body.apply(new ThreadTensorGroup(meeting, i)), meeting.barrier);
    }

    private static <X> List<X> threads(int count, IntFunction<Callable<X>> body, CyclicBarrier barrier) {
        List<X> results = new ArrayList<>();
        try (ExecutorService pool = Executors.newFixedThreadPool(count)) {
            List<Future<X>> futures = new ArrayList<>();
            for (int i = 0; i < count; i++) {
                futures.add(pool.submit(breaking(body.apply(i), barrier)));
            }
            for (Future<X> future : futures) {
                results.add(future.get());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        } catch (ExecutionException e) {
            throw new IllegalStateException("a rank failed: " + e.getCause(), e);
        }
        return results;
    }

    /** A rank that fails lets the others go. */
    private static <X> Callable<X> breaking(Callable<X> body, CyclicBarrier barrier) {
        return () -> {
            try {
                return body.call();
            } catch (Exception | Error e) {
                barrier.reset();
                throw e;
            }
        };
    }

    @Override
    public int size() {
        return meeting.startedOf.size();
    }

    @Override
    public int index() {
        return index;
    }

    @Override
    public void startAllReduce(Tensor x) {
        start(Operation.ALL_REDUCE, x);
    }

    @Override
    public void startReduceScatter(Tensor x) {
        start(Operation.REDUCE_SCATTER, x);
    }

    @Override
    public void startAllGather(Tensor x) {
        start(Operation.ALL_GATHER, x);
    }

    private void start(Operation operation, Tensor x) {
        if (!x.isContiguous()) {
            throw new IllegalStateException(x + " is not contiguous");
        }
        meeting.startedOf.get(index).add(new Started(operation, x));
    }

    @Override
    public void poll() {}

    @Override
    public void await() {
        List<Started> mine = meeting.startedOf.get(index);
        meeting.meet();
        List<double[]> results = new ArrayList<>();
        for (int k = 0; k < mine.size(); k++) {
            results.add(result(k));
        }
        meeting.meet();
        for (int k = 0; k < mine.size(); k++) {
            Tensor x = mine.get(k).tensor();
            long begin = mine.get(k).operation() == Operation.REDUCE_SCATTER ? begin(x, index) : 0;
            double[] values = results.get(k);
            for (int i = 0; i < values.length; i++) {
                x.set(begin + i, values[i]);
            }
        }
        mine.clear();
        meeting.meet();
    }

    /** What this rank's tensor of operation {@code k} becomes, from where it changes on. */
    private double[] result(int k) {
        Started mine = meeting.startedOf.get(index).get(k);
        for (List<Started> other : meeting.startedOf) {
            Started theirs = other.get(k);
            if (theirs.operation() != mine.operation()
                    || !theirs.tensor().shape().equals(mine.tensor().shape())
                    || theirs.tensor().dtype() != mine.tensor().dtype()) {
                throw new IllegalStateException("operation " + k + " is " + mine + " here and " + theirs + " there");
            }
        }
        return switch (mine.operation()) {
            case ALL_REDUCE -> sum(k, 0, mine.tensor().elements());
            case REDUCE_SCATTER -> sum(k, begin(mine.tensor(), index), begin(mine.tensor(), index + 1));
            case ALL_GATHER -> gather(k, mine.tensor());
        };
    }

    private double[] sum(int k, long from, long to) {
        double[] sums = new double[Math.toIntExact(to - from)];
        for (List<Started> started : meeting.startedOf) {
            for (int i = 0; i < sums.length; i++) {
                sums[i] += started.get(k).tensor().get(from + i);
            }
        }
        return sums;
    }

    private double[] gather(int k, Tensor x) {
        double[] all = new double[Math.toIntExact(x.elements())];
        for (int rank = 0; rank < size(); rank++) {
            Tensor theirs = meeting.startedOf.get(rank).get(k).tensor();
            for (long i = begin(x, rank); i < begin(x, rank + 1); i++) {
                all[Math.toIntExact(i)] = theirs.get(i);
            }
        }
        return all;
    }

    /** The first element of a rank's rows. */
    private long begin(Tensor x, int rank) {
        return TensorSplit.begin(x.shape().rows(), size(), rank) * x.shape().last();
    }
}
