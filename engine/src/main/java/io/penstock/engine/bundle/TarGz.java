package io.penstock.engine.bundle;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.List;
import java.util.zip.Deflater;
import java.util.zip.GZIPOutputStream;

/**
 * Writes a folder as .tar.gz, in the order of names and without times, so that the same files make the same bytes. A header is 512 bytes (POSIX 1003.1,
 * "ustar"), numbers are octal text, contents are filled up to 512:
 *
 * <pre>
 *   name 100 | mode 8 | owner 8 | group 8 | size 12 | time 12 | checksum 8 | type 1 | link 100 | "ustar" 0 "00" 8 | 80 | prefix 155 | 12
 * </pre>
 */
final class TarGz implements AutoCloseable {
    private static final int BLOCK = 512;
    private static final int NAME = 100;
    private static final int PREFIX = 155;

    private final OutputStream out;

    private TarGz(OutputStream out) {
        this.out = out;
    }

    /** All below {@code folder} under {@code root} of a fresh archive. */
    static void pack(Path folder, String root, Path archive) throws IOException {
        try (TarGz tar = new TarGz(new BestGzip(Files.newOutputStream(archive)));
                var walk = Files.walk(folder)) {
            List<Path> paths = walk.sorted().toList();
            for (Path path : paths) {
                Path inside = folder.relativize(path);
                tar.add(path, inside.toString().isEmpty() ? root : root + "/" + inside);
            }
        }
    }

    private static final class BestGzip extends GZIPOutputStream {
        BestGzip(OutputStream out) throws IOException {
            super(new BufferedOutputStream(out, 1 << 16), 1 << 16);
            def.setLevel(Deflater.BEST_COMPRESSION);
        }
    }

    private void add(Path path, String name) throws IOException {
        if (Files.isSymbolicLink(path)) {
            header(name, 0777, 0, '2', Files.readSymbolicLink(path).toString());
        } else if (Files.isDirectory(path, LinkOption.NOFOLLOW_LINKS)) {
            header(name + "/", 0755, 0, '5', "");
        } else {
            long size = Files.size(path);
            header(name, Files.isExecutable(path) ? 0755 : 0644, size, '0', "");
            try (InputStream in = Files.newInputStream(path)) {
                in.transferTo(out);
            }
            out.write(new byte[(int) (-size & (BLOCK - 1))]);
        }
    }

    private void header(String name, int mode, long size, char type, String link) throws IOException {
        byte[] header = new byte[BLOCK];
        int split = name.length() <= NAME ? 0 : name.indexOf('/', name.length() - NAME - 1);
        if (split < 0 || split > PREFIX || link.length() > NAME) {
            throw new IOException("too long a name for an archive: " + name);
        }
        text(header, 0, split == 0 ? name : name.substring(split + 1));
        octal(header, 100, 8, mode);
        octal(header, 108, 8, 0);
        octal(header, 116, 8, 0);
        octal(header, 124, 12, size);
        octal(header, 136, 12, 0);
        text(header, 148, "        "); // the checksum counts itself as blanks
        header[156] = (byte) type;
        text(header, 157, link);
        text(header, 257, "ustar");
        text(header, 263, "00");
        text(header, 345, name.substring(0, split));
        int sum = 0;
        for (byte value : header) {
            sum += value & 0xff;
        }
        octal(header, 148, 7, sum);
        out.write(header);
    }

    private static void text(byte[] header, int at, String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        System.arraycopy(bytes, 0, header, at, bytes.length);
    }

    /** {@code width - 1} digits and a zero byte. */
    private static void octal(byte[] header, int at, int width, long value) {
        String digits = Long.toOctalString(value);
        text(header, at, "0".repeat(width - 1 - digits.length()) + digits);
        header[at + width - 1] = 0;
    }

    @Override
    public void close() throws IOException {
        out.write(new byte[2 * BLOCK]);
        out.close();
    }
}
