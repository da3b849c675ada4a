package io.penstock.engine.training;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.penstock.models.ModelConfig;
import io.penstock.models.ModelSpec;
import io.penstock.models.gpt2.Gpt2Family;
import io.penstock.partitioner.Plan;
import io.penstock.partitioner.Techniques;
import io.penstock.tensor.Backend;
import io.penstock.tensor.DType;
import io.penstock.tensor.cpu.CpuBackend;
import io.penstock.transport.AeronEndpoint;
import io.penstock.transport.AeronSettings;
import io.penstock.transport.Counter;
import io.penstock.transport.Endpoint;
import io.penstock.transport.EndpointSettings;
import io.penstock.transport.InMemoryFabric;
import io.penstock.transport.Machine;
import io.penstock.transport.Member;
import io.penstock.transport.Membership;
import io.penstock.transport.driver.DriverHost;
import io.penstock.transport.driver.DriverSettings;
import io.penstock.transport.driver.StreamBudget;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.Supplier;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The first promise on the fast backend and on every wire: the bits of one rank in memory, for any number of threads a rank. */
@Timeout(300)
class SameBitsOverAeronTest {
    private static final int JOB = 4711;

    private static TinyRun.Result inMemory(DType compute, String schedule, int ranks, int threads) throws Exception {
        ModelSpec model = TinyRun.model(true);
        Supplier<Backend> backends = () -> new CpuBackend(threads);
        Plan plan = TinyRun.plan(model, schedule, ranks, compute, Techniques.NONE, backends);
        return TinyRun.run(model, plan, backends, new InMemoryFabric(ranks, EndpointSettings.DEFAULT)::endpoint);
    }

    private static TinyRun.Result overAeron(DType compute, String schedule, int ranks, AeronSettings.Path path)
            throws Exception {
        ModelSpec model = TinyRun.model(true);
        Plan plan = TinyRun.plan(model, schedule, ranks, compute, Techniques.NONE, () -> new CpuBackend(1));
        return overAeron(model, plan, path, EndpointSettings.DEFAULT).result();
    }

    private record Outcome(TinyRun.Result result, long bytesSent) {}

    private static Outcome overAeron(ModelSpec model, Plan plan, AeronSettings.Path path, EndpointSettings settings)
            throws Exception {
        int ranks = plan.axes().ranks();
        AeronSettings aeron = AeronSettings.DEFAULT.withPath(path);
        long needed = new StreamBudget(ranks * ranks * 2, ranks, path == AeronSettings.Path.IPC).bytes(aeron);
        try (DriverHost driver = DriverHost.start(new DriverSettings(
                DriverSettings.SHARED_MEMORY, "same-bits", needed, aeron.udp().windowBytes()))) {
            List<Member> members = new ArrayList<>();
            for (int rank = 0; rank < ranks; rank++) {
                String udp = Machine.freeUdpEndpoint(InetAddress.getLoopbackAddress());
                members.add(Member.local(rank, udp, driver.directory().toString(), ""));
            }
            Membership membership = new Membership(JOB, 1, members);
            Queue<Endpoint> endpoints = new ConcurrentLinkedQueue<>();
            TinyRun.Result result = TinyRun.run(model, plan, () -> new CpuBackend(1), rank -> {
                Endpoint endpoint = AeronEndpoint.open(membership, rank, aeron, settings);
                endpoints.add(endpoint);
                return endpoint;
            });
            long sent = endpoints.stream()
                    .mapToLong(endpoint -> endpoint.counters().total(Counter.BYTES_SENT))
                    .sum();
            return new Outcome(result, sent);
        }
    }

    /** Of replicas on one machine, matrices large enough to be read where they lie. */
    @ParameterizedTest
    @CsvSource({"F32, 2, 0", "BF16, 2, 3", "BF16, 4, 2"})
    void shouldSumReplicasWhereTheirGradientsLie(DType compute, int data, int zeroStage) throws Exception {
        ModelSpec model = new Gpt2Family().spec(new ModelConfig("gpt2", 2, 64, 4, 300, 16, 61, 1e-5f, true, 0.02));
        Supplier<Backend> backends = () -> new CpuBackend(1);
        Plan alone = TinyRun.plan(model, "1f1b", 1, compute, new Techniques(TinyRun.tree(1, 0), List.of()), backends);
        TinyRun.Result expected =
                TinyRun.run(model, alone, backends, new InMemoryFabric(1, EndpointSettings.DEFAULT)::endpoint);
        Plan plan = TinyRun.plan(
                model, "1f1b", 1, compute, new Techniques(TinyRun.tree(data, zeroStage), List.of()), backends);
        Outcome read = overAeron(model, plan, AeronSettings.Path.IPC, EndpointSettings.DEFAULT);
        assertEquals(expected, read.result());
        EndpointSettings checked = EndpointSettings.DEFAULT.withChecksum(true);
        Outcome sent = overAeron(model, plan, AeronSettings.Path.IPC, checked);
        assertEquals(expected, sent.result());
        assertTrue(read.bytesSent() < 0.8 * sent.bytesSent(), read.bytesSent() + " of " + sent.bytesSent());
    }

    @ParameterizedTest
    @CsvSource({
        "F32, 1f1b, 2, IPC",
        "BF16, 1f1b, 2, UDP",
        "F32, gpipe, 3, UDP",
        "BF16, gpipe, 4, IPC",
        "BF16, 1f1b, 4, UDP",
        "BF16, zb-v, 2, IPC",
        "F32, interleaved-1f1b, 2, UDP"
    })
    void shouldComeToTheBitsOfOneRankInMemory(DType compute, String schedule, int ranks, AeronSettings.Path path)
            throws Exception {
        assertEquals(inMemory(compute, "1f1b", 1, 1), overAeron(compute, schedule, ranks, path));
    }

    @ParameterizedTest
    @CsvSource({"F32, 1f1b, 2, 1", "BF16, gpipe, 2, 2", "BF16, zb-h1, 3, 2", "F32, zb-h1, 4, 1", "BF16, 1f1b, 1, 2"})
    void shouldComeToTheBitsOfOneThread(DType compute, String schedule, int ranks, int threads) throws Exception {
        assertEquals(inMemory(compute, "1f1b", 1, 1), inMemory(compute, schedule, ranks, threads));
    }
}
