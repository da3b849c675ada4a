package io.penstock.engine.offload;

import io.penstock.tensor.Tensor;

/** The pages of a mapped file: brought in and sent out by whole pages, so that a neighbour's bytes on a tensor's first and last page may go with it. */
final class MappedPages {
    private static final long PAGE = 4096;

    private final StoreFile file;
    private final long address;
    private final long bytes;

    /** {@code bytes} bytes of {@code file} from its start are mapped at {@code address}, a page's. */
    MappedPages(StoreFile file, long address, long bytes) {
        this.file = file;
        this.address = address;
        this.bytes = bytes;
    }

    long address() {
        return address;
    }

    void prefetch(Tensor tensor) {
        advise(tensor, Posix.MADV_WILLNEED);
    }

    void acquire(Tensor tensor) {
        advise(tensor, Posix.MADV_POPULATE_WRITE);
    }

    void release(Tensor tensor) {
        // Writing first, so that what the kernel may want to evict is clean by then.
        file.startWriting(offset(tensor), length(tensor));
        advise(tensor, Posix.MADV_DONTNEED);
    }

    private void advise(Tensor tensor, int advice) {
        Posix.advise(address + offset(tensor), length(tensor), advice);
    }

    private long offset(Tensor tensor) {
        long offset = tensor.address() - address;
        if (offset < 0 || offset + tensor.bytes() > bytes) {
            throw new IllegalStateException("tensor " + tensor + " is none of this store");
        }
        return offset / PAGE * PAGE;
    }

    private long length(Tensor tensor) {
        return tensor.address() - address - offset(tensor) + tensor.bytes();
    }
}
