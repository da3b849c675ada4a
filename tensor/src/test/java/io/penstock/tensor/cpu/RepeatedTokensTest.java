package io.penstock.tensor.cpu;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.penstock.tensor.DType;
import io.penstock.tensor.Tensor;
import io.penstock.tensor.TestTensors;
import java.util.Set;
import org.junit.jupiter.api.Test;

final class RepeatedTokensTest {
    private static final int VOCABULARY = 207;
    private static final int[] TOKENS = {0, 31, 32, 206, 31, 64, 95, 206, 206, 1};
    private static final Set<Integer> REPEATED = Set.of(31, 206);

    private final Tensor tokens = TestTensors.zeros(DType.I32, TOKENS.length);

    RepeatedTokensTest() {
        for (int i = 0; i < TOKENS.length; i++) {
            tokens.set(i, TOKENS[i]);
        }
    }

    @Test
    void shouldFindThoseThatOccurAgainHoweverOftenAsked() {
        try (Workspace workspace = new Workspace(1)) {
            RepeatedTokens repeated = new RepeatedTokens(workspace);
            for (int round = 0; round < 2; round++) {
                repeated.find(tokens.address(), TOKENS.length, VOCABULARY);
                for (int token : TOKENS) {
                    assertTrue(repeated.contains(token) == REPEATED.contains(token), "token " + token);
                }
                repeated.assumeAll();
                assertTrue(repeated.contains(1));
            }
        }
    }

    @Test
    void shouldForgetTheTokensBefore() {
        try (Workspace workspace = new Workspace(1)) {
            RepeatedTokens repeated = new RepeatedTokens(workspace);
            repeated.find(tokens.address(), TOKENS.length, VOCABULARY);
            repeated.find(tokens.address(), 4, VOCABULARY);
            assertFalse(repeated.contains(31));
        }
    }

    @Test
    void shouldTakeAllForRepeatedWhereTheTableHasMoreRowsThanThereIsRoomFor() {
        try (Workspace workspace = new Workspace(1)) {
            RepeatedTokens repeated = new RepeatedTokens(workspace);
            repeated.find(tokens.address(), TOKENS.length, RepeatedTokens.MOST);
            assertFalse(repeated.contains(1));
            repeated.find(tokens.address(), TOKENS.length, RepeatedTokens.MOST + 1);
            assertTrue(repeated.contains(1));
        }
    }
}
