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

    /** Takes a transfer out, wherever it stands; false if it is not here. */
    boolean remove(Transfer transfer) {
        Transfer before = null;
        Transfer at = head;
        while (at != null && at != transfer) {
            before = at;
            at = at.next;
        }
        if (at == null) {
            return false;
        }
        if (before == null) {
            remove();
            return true;
        }
        before.next = at.next;
        at.next = null;
        if (tail == at) {
            tail = before;
        }
        return true;
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
