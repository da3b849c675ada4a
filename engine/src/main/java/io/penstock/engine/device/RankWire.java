package io.penstock.engine.device;

import io.penstock.tensor.Backend;
import io.penstock.tensor.DeviceCopies;
import io.penstock.tensor.DeviceMemory;
import io.penstock.tensor.HostMemory;
import io.penstock.tensor.Tensor;
import io.penstock.tensor.TensorTable;
import io.penstock.transport.Endpoint;
import io.penstock.transport.StagedEndpoint;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Between a rank's tensors and the host: where the host addresses them nothing at all, else messages that go from device to device inside a process and are staged between processes, and
 * host memory for what only the host reads and writes. Owns the staging memory; the endpoint is the caller's.
 */
public final class RankWire implements AutoCloseable {
    private static final long CHUNK_BYTES = 1 << 20;

    private final Backend backend;
    private final Optional<DeviceCopies> copies;
    private final Endpoint host;
    private final Endpoint tensors;
    private final List<HostMemory> mirrors = new ArrayList<>();

    public RankWire(Endpoint endpoint, Backend backend) {
        this(endpoint, backend, true);
    }

    /** {@code direct}: from device to device where the endpoint can. */
    private RankWire(Endpoint endpoint, Backend backend, boolean direct) {
        this.backend = backend;
        this.copies = backend.copies();
        this.host = endpoint;
        this.tensors = copies.<Endpoint>map(device -> Optional.of(new RankLink(device))
                        .filter(link -> direct)
                        .flatMap(endpoint::onDevices)
                        .orElseGet(() -> new StagedEndpoint(endpoint, new DeviceStaging(device), CHUNK_BYTES)))
                .orElse(endpoint);
    }

    /** Messages go through the host even where they need not, as between processes. */
    public static RankWire staged(Endpoint endpoint, Backend backend) {
        return new RankWire(endpoint, backend, false);
    }

    /** For tensors of the backend. */
    public Endpoint tensors() {
        return tensors;
    }

    /** For host memory. */
    public Endpoint host() {
        return host;
    }

    /** For tensors that replicas sum or gather: memory that they can read where they are on this machine and the host computes, else the backend's. */
    public DeviceMemory allocateForReplicas(long bytes) {
        Optional<MemorySegment> readable = copies.isEmpty() ? host.allocate(bytes) : Optional.empty();
        return readable.<DeviceMemory>map(LentMemory::new).orElseGet(() -> backend.allocate(bytes));
    }

    /** A tensor that the host reads and writes: the planned one, or host memory in its stead. */
    public Tensor onHost(Tensor planned) {
        if (copies.isEmpty()) {
            return planned;
        }
        HostMemory memory = new HostMemory(TensorTable.align(planned.bytes()));
        mirrors.add(memory);
        return Tensor.of(memory.segment().asSlice(0, planned.bytes()), planned.dtype(), planned.shape());
    }

    @Override
    public void close() {
        if (copies.isPresent()) {
            tensors.close();
        }
        mirrors.forEach(HostMemory::close);
        mirrors.clear();
    }
}
