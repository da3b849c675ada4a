package io.penstock.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.penstock.transport.driver.DriverHost;
import java.io.BufferedReader;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Memory of another process, and what happens when that process stands still. */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
final class CrossMemoryTest {
    private static final long BYTES = 1_000_003;
    private static final long BAD_ADDRESS = -14;
    private static final Tag TAG = new Tag(Kind.GRADIENT, 1);

    @BeforeEach
    void assumeCrossMemory() {
        assumeTrue(CrossMemory.isAvailable(), "no cross-memory attach on this operating system");
        CrossEnd self = new CrossEnd();
        assumeTrue(self.reaches(self.own()), "the kernel does not permit process_vm_readv here");
    }

    /** Says where its memory and its token are, and then what has become of the memory. */
    static final class Other {
        public static void main(String[] args) throws Exception {
            CrossEnd end = new CrossEnd();
            MemorySegment memory = Arena.global().allocate(BYTES).fill((byte) 5);
            System.out.println(end.own().pid() + " " + end.own().address() + " "
                    + end.own().token() + " " + memory.address());
            int ignored = System.in.read();
            System.out.println(
                    memory.get(ValueLayout.JAVA_BYTE, 0) + " " + memory.get(ValueLayout.JAVA_BYTE, BYTES - 1));
            new CountDownLatch(1).await(); // until it is killed
        }
    }

    private record Started(Process process, BufferedReader output, CrossBoard.Reach reach, long address)
            implements AutoCloseable {
        static Started start() throws Exception {
            List<String> command = new ArrayList<>(LostProcessTest.java(Other.class));
            Process process = new ProcessBuilder(command)
                    .redirectError(ProcessBuilder.Redirect.INHERIT)
                    .start();
            BufferedReader output = process.inputReader();
            String[] words = String.valueOf(output.readLine()).split(" ", -1);
            CrossBoard.Reach reach =
                    new CrossBoard.Reach(Long.parseLong(words[0]), Long.parseLong(words[1]), Long.parseLong(words[2]));
            return new Started(process, output, reach, Long.parseLong(words[3]));
        }

        @Override
        public void close() {
            process.destroyForcibly();
        }
    }

    @Test
    void shouldReadAndWriteAnotherProcess() throws Exception {
        try (Started other = Started.start();
                Arena arena = Arena.ofShared()) {
            CrossEnd end = new CrossEnd();
            assertTrue(end.reaches(other.reach));
            CrossBoard.Reach wrong =
                    new CrossBoard.Reach(other.reach.pid(), other.reach.address(), other.reach.token() + 1);
            assertFalse(end.reaches(wrong), "somebody else's token");
            MemorySegment memory = arena.allocate(BYTES);
            long pid = other.reach.pid();
            assertEquals(0, end.memory().read(pid, other.address, memory.address(), BYTES));
            assertEquals(-1, memory.mismatch(arena.allocate(BYTES).fill((byte) 5)));
            memory.fill((byte) 9);
            // The receipt goes over the first bytes.
            assertEquals(
                    0, end.memory().write(pid, memory.address(), other.address, BYTES, end.word(0x77), other.address));
            other.process.outputWriter().append('\n').flush();
            assertEquals(0x77 + " 9", other.output.readLine());
        }
    }

    @Test
    void shouldSayWhyItCannot() throws Exception {
        CrossEnd end = new CrossEnd();
        long pid = end.own().pid();
        try (Arena arena = Arena.ofShared()) {
            long address = arena.allocate(BYTES).address();
            assertEquals(BAD_ADDRESS, end.memory().read(pid, 8, address, 100));
            assertEquals(BAD_ADDRESS, end.memory().write(pid, address, 8, 100, end.word(1), address));
            assertFalse(end.isReachable(8, 100));
            assertTrue(end.isReachable(address, BYTES));
            Started other = Started.start();
            other.close();
            other.process.waitFor();
            assertEquals(CrossMemory.NO_PROCESS, end.memory().read(other.reach.pid(), other.address, address, 100));
            assertFalse(end.reaches(other.reach));
        }
    }

    /** The receiving end of a stream of rank 0's, whose board the test has too, with one open message. */
    private record Receiving(CrossBoard sender, CrossReceives receives, Transfer transfer, List<String> reports)
            implements AutoCloseable {
        static Receiving open(DriverHost driver, int lane, CrossBoard.Reach reach, long source, MemorySegment to)
                throws Exception {
            Membership membership = World.membership(2, driver);
            AgentContext context = World.context(membership, 1);
            AeronPaths paths = new AeronPaths(membership, 1, AeronSettings.DEFAULT);
            StreamFile.Stream stream = new StreamFile.Stream(membership.job(), membership.epoch(), 0, 1, lane);
            List<String> reports = new ArrayList<>();
            CrossBoard sender = CrossBoard.create(paths.sharedFiles(), stream, reach);
            CrossReceives receives = new CrossReceives(
                    context,
                    (culprit, reason) -> reports.add(culprit + ": " + reason),
                    new Bells(context, paths, 2),
                    paths,
                    stream);
            receives.answer();
            Transfer transfer = new Transfer();
            transfer.post(false, 0, TAG, 0, 0, to, 0, BYTES);
            receives.open(transfer, source);
            return new Receiving(sender, receives, transfer, reports);
        }

        @Override
        public void close() {
            receives.close();
            sender.close();
        }
    }

    /** A sender that claimed a piece and then stood still, before or after its bytes had gone. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void shouldEndASenderThatStandsStillInTheMiddleOfAWrite(boolean wrote) throws Exception {
        try (DriverHost driver = World.startDriver(2);
                Arena arena = Arena.ofShared();
                Started other = Started.start();
                Receiving end = Receiving.open(driver, 1, other.reach, other.address, arena.allocate(BYTES))) {
            assertTrue(end.sender.claimBack(0, CrossBoard.pieces(BYTES)) > 0);
            if (wrote) {
                RawMemory.ALL.set(ValueLayout.JAVA_LONG, end.sender.receiptAddress(0), 1);
            }
            end.receives.fence();
            boolean ended = other.process.waitFor(wrote ? 100 : 10_000, TimeUnit.MILLISECONDS);
            assertEquals(!wrote, ended);
            assertEquals(-1, end.sender.claimBack(0, CrossBoard.pieces(BYTES)));
        }
    }

    /** A sender that gives its memory back before the receiver has come: what can be read there is not the message any more. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void shouldNotTakeWhatWasWithdrawn(boolean withdrawn) throws Exception {
        try (DriverHost driver = World.startDriver(2);
                Arena arena = Arena.ofShared()) {
            MemorySegment source = arena.allocate(BYTES).fill((byte) 4);
            MemorySegment destination = arena.allocate(BYTES);
            CrossEnd self = new CrossEnd();
            try (Receiving end = Receiving.open(driver, 1, self.own(), source.address(), destination)) {
                if (withdrawn) {
                    end.sender.withdraw();
                }
                for (int i = 0; i < 4; i++) {
                    int ignored = end.receives.work();
                }
                assertEquals(-1, destination.mismatch(source), "all was read");
                assertEquals(withdrawn ? Transfer.State.POSTED : Transfer.State.DONE, end.transfer.state);
                assertEquals(
                        withdrawn ? List.of("0: it left before what it sent was received") : List.of(), end.reports);
            }
        }
    }
}
