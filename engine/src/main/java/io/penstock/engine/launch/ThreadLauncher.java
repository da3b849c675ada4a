package io.penstock.engine.launch;

import io.penstock.engine.training.StepListener;
import io.penstock.transport.AeronEndpoint;
import io.penstock.transport.Endpoint;
import io.penstock.transport.InMemoryFabric;
import io.penstock.transport.Machine;
import io.penstock.transport.Member;
import io.penstock.transport.Membership;
import io.penstock.transport.PeerLostException;
import io.penstock.transport.driver.DriverHost;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;
import org.slf4j.MDC;

/** All ranks as threads of this JVM: one debugger sees everything. */
final class ThreadLauncher implements Launcher {
    /** The key under which a rank's thread says its number to the log. */
    static final String RANK_KEY = "rank";

    @Override
    public void run(Job job, StepListener listener) {
        if (job.config().cluster().transport().reachesThroughMemory()) {
            InMemoryFabric fabric = new InMemoryFabric(job.ranks(), Launcher.endpointSettings(job.config()));
            run(job, listener, fabric::endpoint);
            return;
        }
        try (DriverHost driver = Launcher.startDriver(job, job.ranks())) {
            Membership membership = membership(job, driver);
            run(
                    job,
                    listener,
                    rank -> AeronEndpoint.open(
                            membership,
                            rank,
                            Launcher.aeronSettings(job.config()),
                            Launcher.endpointSettings(job.config())));
        }
    }

    private static Membership membership(Job job, DriverHost driver) {
        List<Member> members = new ArrayList<>();
        for (int rank = 0; rank < job.ranks(); rank++) {
            String endpoint = Machine.freeUdpEndpoint(InetAddress.getLoopbackAddress());
            members.add(Member.local(rank, endpoint, driver.directory().toString(), ""));
        }
        return new Membership(ThreadLocalRandom.current().nextLong(), 1, members);
    }

    private static void run(Job job, StepListener listener, IntFunction<Endpoint> endpoints) {
        try (ExecutorService threads = Executors.newFixedThreadPool(
                job.ranks(), Thread.ofPlatform().name("penstock-rank-", 0).factory())) {
            List<Future<?>> ranks = new ArrayList<>();
            for (int i = 0; i < job.ranks(); i++) {
                int rank = i;
                ranks.add(threads.submit(() -> {
                    MDC.put(RANK_KEY, Integer.toString(rank));
                    RankBody.run(job, endpoints.apply(rank), listener);
                }));
            }
            throwFirst(ranks);
        }
    }

    /** The failure that others only heard of comes before theirs. */
    private static void throwFirst(List<Future<?>> ranks) {
        @Nullable Throwable first = null;
        for (Future<?> rank : ranks) {
            try {
                rank.get();
            } catch (ExecutionException e) {
                Throwable failure = e.getCause() == null ? e : e.getCause();
                if (first == null || (first instanceof PeerLostException && !(failure instanceof PeerLostException))) {
                    first = failure;
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IllegalStateException("interrupted while ranks train", e);
            }
        }
        switch (first) {
            case null -> {}
            case RuntimeException e -> throw e;
            case Error e -> throw e;
            case Throwable e -> throw new IllegalStateException(e);
        }
    }
}
