package io.penstock.jmh.transport;

import java.lang.foreign.MemorySegment;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.pytorch.FileStore;
import org.bytedeco.pytorch.GlooDeviceVector;
import org.bytedeco.pytorch.ProcessGroupGloo;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.Work;
import org.bytedeco.pytorch.global.torch;

/** Gloo, libtorch's collectives for CPUs, over TCP on loopback; one of the ranks. */
final class GlooPeer {
    private final FileStore store;
    private final ProcessGroupGloo group;

    /** Unpacks the native library for this process and those that it starts: two that do so at once disturb each other. */
    static void load() {
        String ignored = Loader.load(ProcessGroupGloo.class);
    }

    /** Returns when all ranks have come to the store, a file. */
    GlooPeer(String store, int rank, int ranks) {
        this.store = new FileStore(store, ranks);
        ProcessGroupGloo.Options options = ProcessGroupGloo.Options.create();
        options.devices(new GlooDeviceVector(ProcessGroupGloo.createDeviceForHostname("127.0.0.1")));
        group = new ProcessGroupGloo(this.store, rank, ranks, options);
    }

    /** All-reduces the first bytes of the memory as f32, so many times. */
    void allReduce(MemorySegment memory, long bytes, int count) {
        try (Tensor tensor = torch.from_blob(
                        new FloatPointer(new Address(memory.address())), new long[] {bytes / Float.BYTES});
                TensorVector tensors = new TensorVector(tensor)) {
            for (int i = 0; i < count; i++) {
                try (Work work = group.allreduce(tensors)) {
                    work._wait();
                }
            }
        }
    }

    /** A pointer to memory that others own. */
    private static final class Address extends Pointer {
        Address(long at) {
            address = at;
        }
    }
}
