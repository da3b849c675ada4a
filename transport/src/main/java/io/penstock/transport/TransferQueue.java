package io.penstock.transport;

import org.jspecify.annotations.Nullable;

/** Transfers in order, linked through themselves, so that queueing never allocates. Not thread-safe. */
final class TransferQueue {
    private @Nullable Transfer head;
    private @Nullable Transfer tail;

    void add(Transfer transfer) {
        transfer.next = null;
        if (tail == null) {
            head = transfer;
        } else {
            tail.next = transfer;
        }
        tail = transfer;
    }

    @Nullable
    Transfer head() {
        return head;
    }

    void remove() {
        Transfer first = head;
        if (first == null) {
            throw new IllegalStateException("empty queue");
        }
        head = first.next;
        first.next = null;
        if (head == null) {
            tail = null;
        }
    }
}
