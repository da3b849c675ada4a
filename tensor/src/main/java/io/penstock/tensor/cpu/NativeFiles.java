package io.penstock.tensor.cpu;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.JarURLConnection;
import java.net.URL;
import java.net.URLConnection;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;
import java.util.jar.JarEntry;
import java.util.zip.CRC32;

/**
 * Shared libraries of a jar as files: in {@code $XDG_CACHE_HOME} (or {@code ~/.cache}) {@code /penstock/native/NAME-CRC/}, which only the user can
 * enter, checked by size and checksum before use; in a fresh temporary folder where there is no such place.
 */
final class NativeFiles {
    private static final Set<PosixFilePermission> PRIVATE = PosixFilePermissions.fromString("rwx------");

    private NativeFiles() {}

    /** A folder that holds exactly the named files of the resource folder. */
    static Path unpack(ClassLoader loader, String resourceFolder, String... names) throws IOException {
        StringBuilder key = new StringBuilder("lib");
        long[] sizes = new long[names.length];
        long[] checksums = new long[names.length];
        for (int i = 0; i < names.length; i++) {
            URLConnection connection = open(loader, resourceFolder + names[i]);
            if (!(connection instanceof JarURLConnection jar)) {
                return unpackTemporary(loader, resourceFolder, names);
            }
            JarEntry entry = jar.getJarEntry();
            sizes[i] = entry.getSize();
            checksums[i] = entry.getCrc();
            key.append('-').append(Long.toHexString(checksums[i]));
            jar.getJarFile().close();
        }
        try {
            Path folder = privateFolder(
                    cacheHome().resolve("penstock").resolve("native").resolve(key.toString()));
            for (int i = 0; i < names.length; i++) {
                Path file = folder.resolve(names[i]);
                if (!matches(file, sizes[i], checksums[i])) {
                    replace(loader, resourceFolder + names[i], file);
                    if (!matches(file, sizes[i], checksums[i])) {
                        throw new IOException(file + " does not have the " + sizes[i] + " bytes of its jar");
                    }
                }
            }
            return folder;
        } catch (IOException e) {
            return unpackTemporary(loader, resourceFolder, names);
        }
    }

    private static Path cacheHome() throws IOException {
        String configured = System.getenv("XDG_CACHE_HOME");
        if (configured != null && Path.of(configured).isAbsolute()) {
            return Path.of(configured);
        }
        Path home = Path.of(System.getProperty("user.home", ""));
        if (!home.isAbsolute()) {
            throw new IOException("no home folder");
        }
        return home.resolve(".cache");
    }

    private static Path privateFolder(Path folder) throws IOException {
        Files.createDirectories(folder.getParent());
        if (!Files.exists(folder, LinkOption.NOFOLLOW_LINKS)) {
            try {
                Files.createDirectory(folder, PosixFilePermissions.asFileAttribute(PRIVATE));
            } catch (java.nio.file.FileAlreadyExistsException e) {
                // Another rank was first; the checks below judge what it made.
                return checkedPrivate(folder);
            }
        }
        return checkedPrivate(folder);
    }

    private static Path checkedPrivate(Path folder) throws IOException {
        if (!Files.isDirectory(folder, LinkOption.NOFOLLOW_LINKS)
                || !Files.getPosixFilePermissions(folder).equals(PRIVATE)
                || !Files.getOwner(folder).getName().equals(System.getProperty("user.name"))) {
            throw new IOException(folder + " is not a private folder of this user");
        }
        return folder;
    }

    private static boolean matches(Path file, long size, long checksum) throws IOException {
        if (!Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS) || Files.size(file) != size) {
            return false;
        }
        CRC32 crc = new CRC32();
        byte[] buffer = new byte[1 << 20];
        try (InputStream in = Files.newInputStream(file)) {
            for (int read = in.read(buffer); read >= 0; read = in.read(buffer)) {
                crc.update(buffer, 0, read);
            }
        }
        return crc.getValue() == checksum;
    }

    /** Writes beside the file and renames, so that ranks that start together all see a whole file. */
    private static void replace(ClassLoader loader, String resource, Path file) throws IOException {
        Path part = Files.createTempFile(file.getParent(), "part", ".tmp");
        try {
            write(loader, resource, part);
            Files.move(part, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } finally {
            Files.deleteIfExists(part);
        }
    }

    private static Path unpackTemporary(ClassLoader loader, String resourceFolder, String... names) throws IOException {
        Path folder = Files.createTempDirectory("penstock-native");
        folder.toFile().deleteOnExit();
        for (String name : names) {
            Path file = folder.resolve(name);
            file.toFile().deleteOnExit();
            write(loader, resourceFolder + name, file);
        }
        return folder;
    }

    private static void write(ClassLoader loader, String resource, Path file) throws IOException {
        try (InputStream in = open(loader, resource).getInputStream();
                OutputStream out = Files.newOutputStream(file)) {
            in.transferTo(out);
        }
    }

    private static URLConnection open(ClassLoader loader, String resource) throws IOException {
        URL url = loader.getResource(resource);
        if (url == null) {
            throw new IOException("the class path has no " + resource);
        }
        URLConnection connection = url.openConnection();
        connection.setUseCaches(false);
        return connection;
    }
}
