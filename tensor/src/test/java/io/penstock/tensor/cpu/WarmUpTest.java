package io.penstock.tensor.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

/** A loop that C2 stops inlining into, or compiles before it knows the vectors' classes, keeps vectors as objects for as long as the process lives. */
final class WarmUpTest {
    @Test
    void shouldLeaveNoLoopThatMakesObjects() {
        assertEquals(0, WarmUp.left(), "loops that still make objects after the warm-up");
    }

    @Test
    void shouldTellOfLoopsThatStaySlow() {
        assertEquals("", WarmUp.remark(0));
        assertEquals(", 2 slow loops: start java with the flags of jvm.properties", WarmUp.remark(2));
    }
}
