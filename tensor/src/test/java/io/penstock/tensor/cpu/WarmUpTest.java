package io.penstock.tensor.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** A loop that C2 stops inlining into, or compiles before it knows the vectors' classes, keeps vectors as objects for as long as the process lives. */
final class WarmUpTest {
    /** In a JVM of its own: where other tests keep the compiler busy, a loop may only be compiled when it is used. */
    @Test
    void shouldLeaveNoLoopThatMakesObjects() throws IOException, InterruptedException {
        OtherMachinesTest.run(Map.of(), "-Dpenstock.describe=true");
    }

    @Test
    void shouldTellOfLoopsThatStaySlow() {
        assertEquals("", WarmUp.remark(0));
        assertEquals(", 1 slow loop: start java with the flags of jvm.properties", WarmUp.remark(1));
        assertEquals(", 2 slow loops: start java with the flags of jvm.properties", WarmUp.remark(2));
    }
}
