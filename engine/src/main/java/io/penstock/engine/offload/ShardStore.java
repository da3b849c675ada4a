package io.penstock.engine.offload;

import io.penstock.tensor.Tensor;
import io.penstock.tensor.TensorSource;

/**
 * One rank's shards of offloaded state, zeroed at first, every tensor at an address that stays until {@link #close}, so that kernels read and write them in place. All
 * space is reserved when the store is opened. Bytes are brought in before use and sent out after it:
 *
 * <pre>
 *   prefetch(next)   reading of what is not in memory begins; returns at once
 *   acquire(this)    its pages are this process's, without a fault for each
 *   ... kernels ...
 *   release(this)    writing begins where there is something to write to, its pages leave this process
 * </pre>
 *
 * A tensor may be used without any of them, which costs time and resident memory only. One thread.
 */
public interface ShardStore extends TensorSource, AutoCloseable {
    /** Where it is and of which kind, for logs: {@code mapped file in /scratch, 1.50 GiB}. */
    String description();

    /** Bytes of its tensors, to the byte those of its table. */
    long bytes();

    /** Bytes that it has taken from its file system or from memory: {@link #bytes} and what the kind of store adds. */
    long reservedBytes();

    void prefetch(Tensor tensor);

    void acquire(Tensor tensor);

    void release(Tensor tensor);

    /** Gives all space back. Its tensors must not be used any more. */
    @Override
    void close();
}
