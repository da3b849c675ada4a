package io.penstock.transport.rendezvous;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** In which words a newcomer is told that it belongs elsewhere. */
final class Differences {
    private static final int MAX_LINES = 10;

    private Differences() {}

    /** Returns null if the newcomer fits. */
    static @Nullable String between(RendezvousSettings expected, JoinRequest found) {
        String who = "rank " + found.member().rank() + " refused: ";
        if (!expected.job().equals(found.job())) {
            return who + "this is job '" + expected.job() + "', it wants job '" + found.job() + "'";
        }
        if (!expected.version().equals(found.version())) {
            return who + "Penstock here is " + expected.version() + ", there " + found.version();
        }
        if (expected.worldSize() != found.worldSize()) {
            return who + "the world here has " + expected.worldSize() + " ranks, there " + found.worldSize();
        }
        if (!expected.configuration().equals(found.configuration())) {
            return who + "its configuration differs:\n"
                    + lines(
                            expected.configuration().lines().toList(),
                            found.configuration().lines().toList());
        }
        return null;
    }

    private static String lines(List<String> here, List<String> there) {
        List<String> text = new ArrayList<>();
        for (int i = 0; i < Math.max(here.size(), there.size()); i++) {
            String a = i < here.size() ? here.get(i) : null;
            String b = i < there.size() ? there.get(i) : null;
            if (a == null || b == null || !a.equals(b)) {
                text.add("  line " + (i + 1) + ": here  " + (a == null ? "(none)" : a.strip()));
                text.add("  line " + (i + 1) + ": there " + (b == null ? "(none)" : b.strip()));
            }
        }
        int shown = Math.min(text.size(), 2 * MAX_LINES);
        String rest = shown < text.size() ? "\n  and " + (text.size() - shown) / 2 + " lines more" : "";
        return String.join("\n", text.subList(0, shown)) + rest;
    }
}
