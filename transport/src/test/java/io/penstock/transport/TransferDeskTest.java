package io.penstock.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
final class TransferDeskTest {
    /** The caller may use its memory again when a wait has thrown, so nobody may write there by then. */
    @Test
    void shouldFenceBeforeItSaysThatTheRunIsLost() {
        List<String> calls = new ArrayList<>();
        FailureBoard board = new FailureBoard(1);
        TransferDesk desk = new TransferDesk(0, 2, EndpointSettings.DEFAULT, board, new Peers(), new Waiting(calls));
        try (Arena arena = Arena.ofShared()) {
            Transfer receive = desk.take(false, 1, new Tag(Kind.GRADIENT, 0), 0, 0, arena.allocate(8), 0, 8);
            assertTrue(board.report(new Failure(1, 0, 0, Progress.NONE, "it is gone"), System.nanoTime()));
            assertThrows(PeerLostException.class, () -> desk.await(receive));
            assertEquals("fence", calls.getLast());
            calls.clear();
            assertThrows(PeerLostException.class, desk::check);
            assertEquals(List.of("fence"), calls);
        }
    }

    private record Peers() implements TransferDesk.Peers {
        @Override
        public boolean leftWithoutThis(Transfer transfer, long waitedNs) {
            return false;
        }

        @Override
        public Progress progressOf(int peer) {
            return Progress.NONE;
        }
    }

    private record Waiting(List<String> calls) implements TransferDesk.Waiting {
        @Override
        public void pass(Transfer transfer, long waitedNs) {
            calls.add("pass");
        }

        @Override
        public void fence() {
            calls.add("fence");
        }
    }
}
