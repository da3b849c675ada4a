package io.penstock.tensor.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.penstock.tensor.DType;
import java.util.EnumSet;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** A loop that C2 stops inlining into, or compiles before it knows the vectors' classes, keeps vectors as objects for as long as the process lives. */
final class WarmUpTest {
    private static final Set<DType> ALL = EnumSet.of(DType.F32, DType.BF16, DType.F16);

    @Test
    void shouldLeaveNoLoopThatMakesObjects() {
        assertEquals(0, WarmUp.await(ALL), "loops that still make objects after the warm-up");
    }

    @Test
    void shouldTellOfLoopsThatStaySlow() {
        assertEquals("", WarmUp.remark(0));
        assertEquals(", 1 slow loop: start java with the flags of jvm.properties", WarmUp.remark(1));
        assertEquals(", 2 slow loops: start java with the flags of jvm.properties", WarmUp.remark(2));
    }
}
