package io.penstock.tensor.cuda;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * A 64-bit little-endian ELF shared library in memory, whose needed library can be changed to another of as long a name, symbol versions included. Layout
 * after the System V ABI and the Linux Standard Base (symbol versioning):
 *
 * <pre>
 *   header -> program headers -> PT_DYNAMIC: (tag, value) pairs, addresses
 *     DT_STRTAB   names, each ending in a zero byte
 *     DT_NEEDED   offset of a library's name there
 *     DT_VERNEED  Verneed: version 2, count 2, file 4, aux 4, next 4   (file: offset of a library's name)
 *                 Vernaux: hash 4, flags 2, other 2, name 4, next 4    (name: offset of a version's name; hash: the ELF hash of it)
 * </pre>
 *
 * The loader compares version names by hash and text. cuBLAS names its symbol version after itself ("libcublas.so.12"), so both are changed.
 */
final class ElfLibrary {
    private static final int PT_LOAD = 1;
    private static final int PT_DYNAMIC = 2;
    private static final long DT_NEEDED = 1;
    private static final long DT_STRTAB = 5;
    private static final long DT_VERNEED = 0x6ffffffeL;
    private static final long DT_VERNEEDNUM = 0x6fffffffL;
    private static final int PROGRAM_HEADER_BYTES = 56;

    private final byte[] bytes;
    private final ByteBuffer file;

    ElfLibrary(byte[] bytes) {
        this.bytes = bytes;
        file = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        if (bytes.length < 64 || file.getInt(0) != 0x464c457f || file.get(4) != 2 || file.get(5) != 1) {
            throw new IllegalArgumentException("no 64-bit little-endian ELF file of " + bytes.length + " bytes");
        }
    }

    byte[] bytes() {
        return bytes;
    }

    /** Number of places changed, which is 0 if {@code name} is not needed. */
    int replaceNeeded(String name, String other) {
        if (name.length() != other.length()) {
            throw new IllegalArgumentException(other + " is not as long as " + name);
        }
        // Places of names in the file; a name may be shared, and is written once.
        Map<Integer, Integer> places = new LinkedHashMap<>();
        int changed = 0;
        int strings = offsetOf(dynamic(DT_STRTAB));
        for (int entry = dynamicStart(); file.getLong(entry) != 0; entry += 16) {
            if (file.getLong(entry) == DT_NEEDED) {
                changed += note(places, strings, (int) file.getLong(entry + 8), name);
            }
        }
        long versions = dynamic(DT_VERNEED);
        if (versions != 0) {
            int need = offsetOf(versions);
            for (long i = 0; i < dynamic(DT_VERNEEDNUM); i++) {
                changed += note(places, strings, file.getInt(need + 4), name);
                int auxiliary = need + file.getInt(need + 8);
                for (int j = 0; j < file.getShort(need + 2); j++) {
                    if (note(places, strings, file.getInt(auxiliary + 8), name) > 0) {
                        file.putInt(auxiliary, hash(other));
                        changed++;
                    }
                    auxiliary += file.getInt(auxiliary + 12);
                }
                need += file.getInt(need + 12);
            }
        }
        for (int place : places.keySet()) {
            file.put(place, other.getBytes(StandardCharsets.US_ASCII));
        }
        return changed;
    }

    private int note(Map<Integer, Integer> places, int strings, int offset, String name) {
        int at = strings + offset;
        if (!text(at).equals(name)) {
            return 0;
        }
        places.put(at, offset);
        return 1;
    }

    private String text(int at) {
        int end = at;
        while (bytes[end] != 0) {
            end++;
        }
        return new String(bytes, at, end - at, StandardCharsets.US_ASCII);
    }

    /** The ELF hash of the System V ABI. */
    static int hash(String name) {
        int hash = 0;
        for (byte c : name.getBytes(StandardCharsets.US_ASCII)) {
            hash = (hash << 4) + c;
            int high = hash & 0xf0000000;
            hash = (hash ^ (high >>> 24)) & ~high;
        }
        return hash;
    }

    private int dynamicStart() {
        int header = programHeader(PT_DYNAMIC, 0);
        return (int) file.getLong(header + 8);
    }

    /** The value of a tag, 0 without it. */
    private long dynamic(long tag) {
        for (int entry = dynamicStart(); file.getLong(entry) != 0; entry += 16) {
            if (file.getLong(entry) == tag) {
                return file.getLong(entry + 8);
            }
        }
        return 0;
    }

    private int offsetOf(long address) {
        int header = programHeader(PT_LOAD, address);
        return (int) (file.getLong(header + 8) + address - file.getLong(header + 16));
    }

    /** The first header of a type, of PT_LOAD the one that maps the address. */
    private int programHeader(int type, long address) {
        int count = file.getShort(56);
        for (int i = 0; i < count; i++) {
            int header = (int) file.getLong(32) + i * PROGRAM_HEADER_BYTES;
            long start = file.getLong(header + 16);
            boolean maps = address >= start && address < start + file.getLong(header + 32);
            if (file.getInt(header) == type && (type != PT_LOAD || maps)) {
                return header;
            }
        }
        throw new IllegalArgumentException("no program header of type " + type + " for address " + address);
    }
}
