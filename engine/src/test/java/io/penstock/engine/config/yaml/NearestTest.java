package io.penstock.engine.config.yaml;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

final class NearestTest {
    private static final List<String> KEYS = List.of("hidden_size", "vocab_size", "steps", "every");

    @Test
    void shouldFindTheWordThatWasMeant() {
        assertEquals(Optional.of("hidden_size"), Nearest.to("hiden_size", KEYS));
        assertEquals(Optional.of("hidden_size"), Nearest.to("hidden_sizes", KEYS));
        assertEquals(Optional.of("steps"), Nearest.to("setps", KEYS));
    }

    @Test
    void shouldStaySilentWhenNothingIsNear() {
        assertEquals(Optional.empty(), Nearest.to("temperature", KEYS));
        assertEquals(Optional.empty(), Nearest.to("x", List.of("y")));
    }

    @Test
    void shouldCountASwapOfNeighboursAsOneEdit() {
        assertEquals(1, Nearest.distance("setps", "steps"));
        assertEquals(3, Nearest.distance("kitten", "sitting"));
        assertEquals(4, Nearest.distance("", "four"));
    }
}
