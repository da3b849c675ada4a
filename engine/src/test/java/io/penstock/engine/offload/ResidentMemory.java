package io.penstock.engine.offload;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** What Linux says of this process's mappings, {@code /proc/self/smaps}. */
record ResidentMemory(long from, long to, long fileOffset, String path, long residentBytes) {
    static List<ResidentMemory> read() throws IOException {
        List<ResidentMemory> mappings = new ArrayList<>();
        String[] head = new String[0];
        for (String line : Files.readAllLines(Path.of("/proc/self/smaps"))) {
            if (line.matches("[0-9a-f]+-[0-9a-f]+ .*")) {
                head = line.split("\\s+", 6);
            } else if (line.startsWith("Rss:")) {
                String[] range = head[0].split("-", -1);
                mappings.add(new ResidentMemory(
                        Long.parseUnsignedLong(range[0], 16),
                        Long.parseUnsignedLong(range[1], 16),
                        Long.parseLong(head[2], 16),
                        head.length < 6 ? "" : head[5],
                        1024 * Long.parseLong(line.replaceAll("\\D+", ""))));
            }
        }
        return mappings;
    }

    static ResidentMemory at(long address) throws IOException {
        return read().stream()
                .filter(mapping -> mapping.from() <= address && address < mapping.to())
                .findFirst()
                .orElseThrow();
    }
}
