package io.penstock.jmh.transport;

import io.penstock.transport.AeronEndpoint;
import io.penstock.transport.AeronSettings;
import io.penstock.transport.Collectives;
import io.penstock.transport.Endpoint;
import io.penstock.transport.EndpointSettings;
import io.penstock.transport.Kind;
import io.penstock.transport.Machine;
import io.penstock.transport.Member;
import io.penstock.transport.Membership;
import io.penstock.transport.Reducer;
import io.penstock.transport.Tag;
import io.penstock.transport.Transfer;
import io.penstock.transport.driver.DriverHost;
import io.penstock.transport.driver.DriverSettings;
import io.penstock.transport.driver.StreamBudget;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * What do the calls of the transport cost a computing thread? {@code poll}: a look at an all-reduce that waits for a peer, between two
 * layers; {@code message}: 64 bytes to a rank of the same JVM over Aeron IPC and its receive. {@code -prof gc} shows the bytes allocated.
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 3, time = 1)
public class CallBenchmark {
    private static final Tag TAG = new Tag(Kind.GRADIENT, 0);

    /** Two ranks and their driver. */
    @State(Scope.Benchmark)
    public static class Pair {
        private DriverHost driver;
        private final List<Endpoint> endpoints = new ArrayList<>();
        private Collectives collectives;
        private MemorySegment memory;

        @Setup
        public void setup() {
            long bytes = new StreamBudget(4, 2, true).bytes(AeronSettings.DEFAULT);
            driver = DriverHost.start(new DriverSettings(DriverSettings.SHARED_MEMORY, "poll", bytes, 1 << 20));
            List<Member> members = new ArrayList<>();
            for (int rank = 0; rank < 2; rank++) {
                String udp = Machine.freeUdpEndpoint(InetAddress.getLoopbackAddress());
                members.add(Member.local(rank, udp, driver.directory().toString(), ""));
            }
            Membership membership = new Membership(14, 1, members);
            for (int rank = 0; rank < 2; rank++) {
                endpoints.add(AeronEndpoint.open(membership, rank, AeronSettings.DEFAULT, EndpointSettings.DEFAULT));
            }
            memory = Arena.global().allocate(1 << 20, 64);
            MemorySegment scratch = Arena.global().allocate(Collectives.scratchBytes(2, 1 << 16), 64);
            collectives = new Collectives(endpoints.getFirst(), new int[] {0, 1}, scratch);
            var _ = collectives.startAllReduce(memory, 0, memory.byteSize(), new NoSum());
        }

        @TearDown
        public void tearDown() {
            endpoints.forEach(Endpoint::announceDone);
            endpoints.forEach(Endpoint::close);
            driver.close();
        }
    }

    /** Never called: the other rank sends nothing. */
    private static final class NoSum implements Reducer {
        @Override
        public int elementBytes() {
            return Float.BYTES;
        }

        @Override
        public void reduce(
                MemorySegment destination, long offset, MemorySegment[] sources, long[] sourceOffsets, long length) {
            throw new IllegalStateException("nothing was sent");
        }
    }

    @Benchmark
    public boolean poll(Pair pair) {
        return pair.collectives.poll();
    }

    @Benchmark
    public void message(Pair pair) {
        Endpoint from = pair.endpoints.get(0);
        Endpoint to = pair.endpoints.get(1);
        Transfer receive = to.receive(0, TAG, 0, 0, pair.memory, 64, 64);
        from.await(from.send(1, TAG, 0, 0, pair.memory, 0, 64));
        to.await(receive);
    }
}
