package io.penstock.tensor.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

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

    /** As C2 does where it takes no profile for mature yet: it does not know the vectors' classes. */
    @Test
    void shouldCountLoopsThatKeepObjects() throws IOException, InterruptedException {
        String output = OtherMachinesTest.run(1, Map.of(), "-Dpenstock.describe=true", "-XX:-UseTypeProfile");
        assertTrue(output.contains("loops still make objects after the warm-up"), output);
    }

    @Test
    void shouldTellOfLoopsThatStaySlow() {
        assertEquals("", WarmUp.remark(0));
        assertEquals(", 1 loop slow as yet: has java the flags of jvm.properties?", WarmUp.remark(1));
        assertEquals(", 2 loops slow as yet: has java the flags of jvm.properties?", WarmUp.remark(2));
    }
}
