package io.penstock.tensor.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Copies from device to device through real JCuda on stand-ins, within one device and between two. */
final class PeerCopiesTest {
    /** Of a copy for the marks of both, of both for the copy: each of them is missed if it is left out, so none is there in vain and none is forgotten. */
    @Test
    void shouldOrderCopiesAmongTheWorkOfBothAndNeedEveryWait(@TempDir Path folder)
            throws IOException, InterruptedException {
        StandIns.driverAndCublas(folder, "13");
        List<String> expected = new ArrayList<>();
        for (int devices = 1; devices <= 2; devices++) {
            for (String starter : List.of("sender", "receiver")) {
                for (int lost = 0; lost <= 4; lost++) {
                    expected.add(devices + " " + starter + " " + lost + (lost == 0 ? " right" : " wrong"));
                }
            }
        }
        assertEquals(expected, StandInRun.inItsOwnJvm(PeerCopiesRun.class, folder));
    }
}
