package io.penstock.engine.bundle;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;

/**
 * ELF files (64-bit, little-endian) without what only debuggers read. Layout after the System V ABI; sections that are loaded lie and are numbered before the others:
 *
 * <pre>
 *   before   header, sections that are loaded | .comment .symtab .strtab .debug_* ... .shstrtab | section headers
 *   after    header, sections that are loaded | .shstrtab | section headers of the loaded and of .shstrtab
 * </pre>
 *
 * The loader reads none of what goes. A JVM that crashes prints addresses without names of its own functions.
 */
final class LoadedElf {
    private static final int HEADER_BYTES = 64;
    private static final int PROGRAM_HEADER_BYTES = 56;
    private static final int SECTION_BYTES = 64;
    private static final int SHT_NOBITS = 8;
    private static final long SHF_ALLOC = 2;

    private final byte[] bytes;
    private final ByteBuffer file;
    private final int sections;
    private final int names;

    private LoadedElf(byte[] bytes) {
        this.bytes = bytes;
        file = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        sections = file.getShort(60);
        names = file.getShort(62);
    }

    private static boolean isElf(byte[] bytes) {
        ByteBuffer file = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        return bytes.length >= HEADER_BYTES
                && file.getInt(0) == 0x464c457f
                && file.get(4) == 2
                && file.get(5) == 1
                && file.getShort(54) == PROGRAM_HEADER_BYTES
                && file.getShort(58) == SECTION_BYTES
                && file.getShort(60) > 0;
    }

    /** A file of the same effect; {@code bytes} itself where it is no such file, or lies otherwise. */
    static byte[] trim(byte[] bytes) {
        return isElf(bytes) && new LoadedElf(bytes).isWhole() ? new LoadedElf(bytes).trimmed() : bytes;
    }

    /** Whether all that is read here lies within the file. */
    private boolean isWhole() {
        long table = file.getLong(40);
        if (table < 0 || table > bytes.length - (long) sections * SECTION_BYTES || names < 0 || names >= sections) {
            return false;
        }
        long programs = file.getLong(32);
        if (programs < 0 || programs > bytes.length - (long) file.getShort(56) * PROGRAM_HEADER_BYTES) {
            return false;
        }
        for (int i = 1; i < sections; i++) {
            long offset = file.getLong(section(i) + 24);
            long size = file.getInt(section(i) + 4) == SHT_NOBITS ? 0 : file.getLong(section(i) + 32);
            if (offset < 0 || size < 0 || offset > bytes.length - size) {
                return false;
            }
        }
        return true;
    }

    private byte[] trimmed() {
        int kept = 1; // section 0 is empty
        while (kept < sections && isLoaded(kept)) {
            kept++;
        }
        for (int i = kept; i < sections; i++) {
            if (isLoaded(i)) {
                return bytes;
            }
        }
        for (int i = 1; i < kept; i++) {
            if (file.getInt(section(i) + 40) >= kept) { // sh_link
                return bytes;
            }
        }
        int end = endOfLoaded(kept);
        int nameBytes = (int) file.getLong(section(names) + 32);
        int table = (end + nameBytes + 7) & -8;
        int total = table + (kept + 1) * SECTION_BYTES;
        if (total >= bytes.length) {
            return bytes;
        }
        byte[] result = Arrays.copyOf(Arrays.copyOf(bytes, end), total);
        System.arraycopy(bytes, (int) file.getLong(section(names) + 24), result, end, nameBytes);
        System.arraycopy(bytes, section(0), result, table, kept * SECTION_BYTES);
        int last = table + kept * SECTION_BYTES;
        System.arraycopy(bytes, section(names), result, last, SECTION_BYTES);
        ByteBuffer header = ByteBuffer.wrap(result).order(ByteOrder.LITTLE_ENDIAN);
        header.putLong(last + 24, end);
        header.putLong(40, table);
        header.putShort(60, (short) (kept + 1));
        header.putShort(62, (short) kept);
        return result;
    }

    private int section(int index) {
        return (int) file.getLong(40) + index * SECTION_BYTES;
    }

    private boolean isLoaded(int index) {
        return (file.getLong(section(index) + 8) & SHF_ALLOC) != 0;
    }

    /** Of what program headers name and of what sections hold. */
    private int endOfLoaded(int kept) {
        long end = HEADER_BYTES;
        int programs = file.getShort(56);
        for (int i = 0; i < programs; i++) {
            int at = (int) file.getLong(32) + i * PROGRAM_HEADER_BYTES;
            end = Math.max(end, at + PROGRAM_HEADER_BYTES);
            end = Math.max(end, file.getLong(at + 8) + file.getLong(at + 32));
        }
        for (int i = 1; i < kept; i++) {
            int at = section(i);
            if (file.getInt(at + 4) != SHT_NOBITS) {
                end = Math.max(end, file.getLong(at + 24) + file.getLong(at + 32));
            }
        }
        return Math.toIntExact(end);
    }
}
