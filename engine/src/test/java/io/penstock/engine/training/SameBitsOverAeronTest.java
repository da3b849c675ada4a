package io.penstock.engine.training;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.penstock.models.ModelSpec;
import io.penstock.partitioner.Plan;
import io.penstock.partitioner.Techniques;
import io.penstock.tensor.Backend;
import io.penstock.tensor.DType;
import io.penstock.tensor.cpu.CpuBackend;
import io.penstock.transport.AeronEndpoint;
import io.penstock.transport.AeronSettings;
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
        Supplier<Backend> backends = () -> new CpuBackend(1);
        Plan plan = TinyRun.plan(model, schedule, ranks, compute, Techniques.NONE, backends);
        AeronSettings aeron = AeronSettings.DEFAULT.withPath(path);
        long needed = new StreamBudget(ranks * ranks * 2, ranks, path == AeronSettings.Path.IPC).bytes(aeron);
        try (DriverHost driver = DriverHost.start(
                new DriverSettings(DriverSettings.SHARED_MEMORY, "same-bits", needed, aeron.udpWindowBytes()))) {
            List<Member> members = new ArrayList<>();
            for (int rank = 0; rank < ranks; rank++) {
                String udp = Machine.freeUdpEndpoint(InetAddress.getLoopbackAddress());
                members.add(Member.local(rank, udp, driver.directory().toString(), ""));
            }
            Membership membership = new Membership(JOB, 1, members);
            return TinyRun.run(
                    model,
                    plan,
                    backends,
                    rank -> AeronEndpoint.open(membership, rank, aeron, EndpointSettings.DEFAULT));
        }
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
