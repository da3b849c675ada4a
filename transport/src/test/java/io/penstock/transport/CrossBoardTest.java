package io.penstock.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.BitSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
final class CrossBoardTest {
    private static final StreamFile.Stream STREAM = new StreamFile.Stream(77, 3, 0, 1, 2);
    private static final CrossBoard.Reach SENDER = new CrossBoard.Reach(11, 12, 13);
    private static final CrossBoard.Reach RECEIVER = new CrossBoard.Reach(21, 22, 23);

    private interface Body {
        void run(CrossBoard sender, CrossBoard receiver) throws Exception;
    }

    private static void withBoard(Path directory, Body body) throws Exception {
        SharedFiles files = new SharedFiles(directory);
        try (CrossBoard sender = CrossBoard.create(files, STREAM, SENDER);
                CrossBoard receiver = CrossBoard.open(files, STREAM)) {
            body.run(sender, receiver);
        }
    }

    @Test
    void shouldBePrivateAndNamelessOnceShared(@TempDir Path directory) throws Exception {
        SharedFiles files = new SharedFiles(directory);
        Path path = files.board(STREAM);
        try (CrossBoard sender = CrossBoard.create(files, STREAM, SENDER)) {
            assertEquals("rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(path)));
            assertEquals(0, sender.answer());
            try (CrossBoard receiver = CrossBoard.open(files, STREAM)) {
                assertFalse(Files.exists(path));
                assertEquals(SENDER, receiver.sender());
                receiver.setAnswer(RECEIVER, CrossBoard.REACHES);
                assertEquals(CrossBoard.REACHES, sender.answer());
                assertEquals(RECEIVER, sender.receiver());
            }
        }
    }

    @Test
    void shouldRefuseABoardOfAnotherRun(@TempDir Path directory) throws Exception {
        SharedFiles files = new SharedFiles(directory);
        StreamFile.Stream stale = new StreamFile.Stream(77, 2, 0, 1, 2);
        try (CrossBoard sender = CrossBoard.create(files, stale, SENDER)) {
            assertEquals(0, sender.done());
            Files.move(files.board(stale), files.board(STREAM));
            IOException e = assertThrows(IOException.class, () -> CrossBoard.open(files, STREAM));
            assertTrue(String.valueOf(e.getMessage()).contains("epoch=2"), e.getMessage());
        }
        Files.writeString(files.board(STREAM), "x".repeat(100));
        assertThrows(IOException.class, () -> CrossBoard.open(files, STREAM));
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 4095, 4096, 4097, 65_536, 262_144, 262_145, (1 << 20) + 1, 3 << 20, 5L << 30})
    void shouldCutAMessageForBothEnds(long length) {
        long bytes = CrossBoard.pieceBytes(length);
        long pieces = CrossBoard.pieces(length);
        assertTrue(bytes <= 1 << 20, bytes + " bytes a piece");
        assertTrue((pieces - 1) * bytes < length && length <= pieces * bytes, pieces + " pieces of " + bytes);
        assertTrue(length <= 4096 || pieces >= 2, pieces + " pieces");
    }

    /** Both ends claim as fast as they can; a message of each number of pieces. */
    @Test
    void shouldGiveEachPieceToOneEnd(@TempDir Path directory) throws Exception {
        withBoard(directory, (sender, receiver) -> {
            int messages = 2000;
            BitSet[] back = new BitSet[messages];
            Thread other = Thread.ofPlatform().start(() -> {
                for (int number = 0; number < messages; number++) {
                    while (!sender.isOpen(number)) {
                        Thread.onSpinWait();
                    }
                    assertEquals(1000 + number, sender.destination(number));
                    BitSet mine = new BitSet();
                    long piece;
                    while ((piece = sender.claimBack(number, number % 50)) >= 0) {
                        mine.set((int) piece);
                        sender.setWritten(number, mine.cardinality());
                    }
                    back[number] = mine;
                    sender.setDone(number + 1);
                }
            });
            for (int number = 0; number < messages; number++) {
                receiver.open(number, 1000 + number);
                BitSet front = new BitSet();
                long piece;
                while ((piece = receiver.claimFront(number, number % 50)) >= 0) {
                    front.set((int) piece);
                }
                while (receiver.unwritten(number) > 0 || receiver.done() <= number) {
                    Thread.onSpinWait();
                }
                assertTrue(receiver.isClaimed(number, number % 50));
                assertFalse(front.intersects(back[number]), "message " + number + ": " + front + back[number]);
                front.or(back[number]);
                assertEquals(number % 50, front.cardinality(), "message " + number);
                assertEquals(front.cardinality(), front.length(), "message " + number);
            }
            other.join();
        });
    }

    @Test
    void shouldTakeBackWhatTheSenderCannotWrite(@TempDir Path directory) throws Exception {
        withBoard(directory, (sender, receiver) -> {
            receiver.open(0, 1);
            assertEquals(3, sender.claimBack(0, 4));
            sender.setWritten(0, 1);
            assertEquals(2, sender.claimBack(0, 4));
            assertEquals(0, receiver.claimFront(0, 4));
            assertEquals(1, receiver.claimFront(0, 4));
            assertEquals(-1, receiver.claimFront(0, 4));
            assertEquals(1, receiver.unwritten(0));
            sender.giveBack(0);
            assertEquals(0, receiver.unwritten(0));
            assertEquals(2, receiver.claimFront(0, 4));
            assertEquals(-1, receiver.claimFront(0, 4));
        });
    }

    @Test
    void shouldGiveTheSenderNothingOfAClosedMessage(@TempDir Path directory) throws Exception {
        withBoard(directory, (sender, receiver) -> {
            receiver.open(0, 1);
            assertEquals(3, sender.claimBack(0, 4));
            receiver.close(0);
            assertEquals(-1, sender.claimBack(0, 4));
            assertEquals(1, receiver.unwrittenByReceipt(0));
            assertEquals(0, receiver.claimFront(0, 4));
        });
    }
}
