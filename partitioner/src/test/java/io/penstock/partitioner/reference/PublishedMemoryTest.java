package io.penstock.partitioner.reference;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.penstock.partitioner.Anchors;
import io.penstock.partitioner.reference.MegatronMemory.Activations;
import org.junit.jupiter.api.Test;

class PublishedMemoryTest {
    private static final double GIB = 1L << 30;

    /** Shapes of arXiv 2205.05198, table 3; sequence 2048 throughout. */
    private static MegatronMemory megatron(Anchors.Row row) {
        int p = row.integer("pp");
        int v = row.integer("interleave");
        return switch (row.text("model")) {
            case "22B" -> new MegatronMemory(2048, 4, 6144, 64, 48, 8, p, v);
            case "175B" -> new MegatronMemory(2048, 1, 12288, 96, 96, 8, p, v);
            case "530B" -> new MegatronMemory(2048, 1, 20480, 128, 105, 8, p, v);
            case "1T" -> new MegatronMemory(2048, 1, 25600, 160, 128, 8, p, v);
            default -> throw new AssertionError(row);
        };
    }

    @Test
    void shouldEqualMegatronsFigureOne() {
        for (Anchors.Row row : Anchors.read("seqsel_fig1_fig7_memory.csv")) {
            MegatronMemory m = megatron(row);
            assertEquals(row.number("fig1_params_opt_gib"), m.parameterAndOptimizerBytes() / GIB, 1e-6, row.toString());
            assertEquals(
                    row.number("fig1_act_gib_none"),
                    m.activationBytes(Activations.TENSOR_PARALLEL) / GIB,
                    1e-4,
                    row.toString());
            assertEquals(
                    row.number("fig1_act_gib_seqsel"),
                    m.activationBytes(Activations.SEQUENCE_PARALLEL_SELECTIVE) / GIB,
                    1e-4,
                    row.toString());
        }
    }

    @Test
    void shouldEqualMegatronsFigureSeven() {
        for (Anchors.Row row : Anchors.read("seqsel_fig1_fig7_memory.csv")) {
            MegatronMemory m = megatron(row);
            double baseline = m.layerActivationBytes(Activations.TENSOR_PARALLEL) / 100;
            assertPercent(row, "seq", m.layerActivationBytes(Activations.SEQUENCE_PARALLEL) / baseline);
            assertPercent(row, "sel", m.layerActivationBytes(Activations.SELECTIVE) / baseline);
            assertPercent(row, "seqsel", m.layerActivationBytes(Activations.SEQUENCE_PARALLEL_SELECTIVE) / baseline);
            assertPercent(row, "full", m.layerActivationBytes(Activations.FULL_RECOMPUTE) / baseline);
        }
    }

    /** The formulas to all digits given; the figure's own values lie up to 0.15 points beside them. */
    private static void assertPercent(Anchors.Row row, String kept, double percent) {
        assertEquals(row.number("pct_" + kept + "_formula"), percent, 0.0051, kept + " " + row);
        assertEquals(row.number("fig7_pct_" + kept), percent, 0.15, kept + " " + row);
    }

    @Test
    void shouldEqualZerosTableOne() {
        for (Anchors.Row row : Anchors.read("zero_table1_memory.csv")) {
            double parameters = switch (row.text("model")) {
                case "7.5B" -> 7.5e9;
                case "128B" -> 128e9;
                case "1T" -> 1000e9;
                default -> throw new AssertionError(row);
            };
            int n = row.integer("dp_degree");
            assertZero(row, "pos", ZeroMemory.modelStateBytes(parameters, n, 1) / 1e9);
            assertZero(row, "pos_g", ZeroMemory.modelStateBytes(parameters, n, 2) / 1e9);
            assertZero(row, "pos_g_p", ZeroMemory.modelStateBytes(parameters, n, 3) / 1e9);
            assertEquals(16 * parameters, ZeroMemory.modelStateBytes(parameters, n, 0));
        }
        assertThrows(IllegalArgumentException.class, () -> ZeroMemory.modelStateBytes(1, 1, 4));
    }

    private static void assertZero(Anchors.Row row, String sharded, double gigabytes) {
        double formula = row.number(sharded + "_formula_gb");
        assertEquals(formula, gigabytes, 0.00501, sharded + " " + row);
        // Printed with three to four digits, some cut, some rounded.
        double printed = row.number(sharded + "_gb");
        assertEquals(printed, gigabytes, Math.max(0.006, printed * 0.004), sharded + " " + row);
    }
}
