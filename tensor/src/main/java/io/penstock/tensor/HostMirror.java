package io.penstock.tensor;

import java.lang.foreign.Arena;
import java.util.Optional;

/**
 * Numbers that a backend leaves and the host reads, at moments that the host chooses: the tensor itself where the host addresses it, else host memory that a read fills. Owns that memory;
 * a read allocates nothing.
 */
public final class HostMirror {
    private final Tensor numbers;
    private final Tensor onHost;
    private final Optional<DeviceCopies> copies;

    private HostMirror(Tensor numbers, Tensor onHost, Optional<DeviceCopies> copies) {
        this.numbers = numbers;
        this.onHost = onHost;
        this.copies = copies;
    }

    /** Of a contiguous tensor of the backend. */
    public static HostMirror of(Tensor numbers, Backend backend) {
        if (backend.copies().isEmpty()) {
            return new HostMirror(numbers, numbers, Optional.empty());
        }
        Checks.contiguous("a tensor that the host reads", numbers);
        Tensor onHost = Tensor.of(
                Arena.ofAuto().allocate(numbers.bytes(), TensorTable.ALIGNMENT), numbers.dtype(), numbers.shape());
        return new HostMirror(numbers, onHost, backend.copies());
    }

    /** For operations. */
    public Tensor numbers() {
        return numbers;
    }

    /** For the host, as of the last {@link #read}. */
    public Tensor onHost() {
        return onHost;
    }

    /** Brings what operations left until now: where a device does them later, the host waits for it. */
    public void read() {
        if (copies.isPresent()) {
            copies.get().download(onHost.segment(), numbers.segment());
        }
    }
}
