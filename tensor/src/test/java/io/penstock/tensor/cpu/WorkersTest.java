package io.penstock.tensor.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.concurrent.atomic.AtomicIntegerArray;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
final class WorkersTest {
    @Test
    void shouldRunEveryTileOnce() {
        try (Workers workers = new Workers(4)) {
            for (int round = 0; round < 2_000; round++) {
                int count = round % 37;
                AtomicIntegerArray runs = new AtomicIntegerArray(37);
                workers.run((tile, thread) -> runs.incrementAndGet(tile), count);
                for (int tile = 0; tile < 37; tile++) {
                    assertEquals(tile < count ? 1 : 0, runs.get(tile), "tile " + tile + " of round " + round);
                }
            }
        }
    }

    @Test
    void shouldWakeParkedWorkers() throws InterruptedException {
        try (Workers workers = new Workers(3)) {
            AtomicIntegerArray threads = new AtomicIntegerArray(3);
            for (int round = 0; round < 20; round++) {
                Thread.sleep(5);
                workers.run(
                        (tile, thread) -> {
                            threads.incrementAndGet(thread);
                            long end = System.nanoTime() + 2_000_000;
                            while (System.nanoTime() < end) {
                                Thread.onSpinWait();
                            }
                        },
                        12);
            }
            for (int thread = 0; thread < 3; thread++) {
                assertTrue(threads.get(thread) > 0, "thread " + thread + " never helped: " + threads);
            }
        }
    }

    @Test
    void shouldPassOnWhatATileThrowsAndGoOn() {
        try (Workers workers = new Workers(2)) {
            IllegalStateException failure = assertThrows(
                    IllegalStateException.class,
                    () -> workers.run(
                            (tile, thread) -> {
                                if (tile == 3) {
                                    throw new ArithmeticException("tile 3");
                                }
                            },
                            8));
            assertTrue(String.valueOf(failure.getMessage()).contains("tile 3"), failure.getMessage());
            AtomicIntegerArray runs = new AtomicIntegerArray(8);
            workers.run((tile, thread) -> runs.incrementAndGet(tile), 8);
            assertEquals(1, runs.get(7));
        }
    }
}
