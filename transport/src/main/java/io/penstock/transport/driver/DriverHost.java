package io.penstock.transport.driver;

import io.aeron.driver.MediaDriver;
import io.aeron.driver.ThreadingMode;
import io.penstock.transport.Patience;
import io.penstock.transport.TransportException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Hosts the Aeron media driver of this process in a private directory, which is deleted on close and on exit, and by the next driver if
 * this process is killed.
 */
public final class DriverHost implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(DriverHost.class);

    /**
     * How long Aeron waits before it takes a client or a stream for dead. Who is lost is decided by our heartbeats, within seconds; Aeron's own limits only have to
     * outlast a machine so busy that a thread gets no turn, which its standard 10 s do not.
     */
    static final long PATIENCE_NS = TimeUnit.SECONDS.toNanos(120);

    private static final long UNBLOCK_MARGIN_NS = TimeUnit.SECONDS.toNanos(30);

    /** 16,384 counters of 128 bytes, and four times as much for their names: Aeron's default of 8 MiB takes 40 MiB of shared memory. */
    private static final int COUNTER_VALUES_BYTES = 2 << 20;

    private final DriverDirectory directory;
    private final MediaDriver driver;
    private final Thread atExit;
    private final AtomicBoolean closed = new AtomicBoolean();

    private DriverHost(DriverDirectory directory, MediaDriver driver) {
        this.directory = directory;
        this.driver = driver;
        this.atExit = Thread.ofPlatform().name("penstock-driver-exit").unstarted(this::release);
    }

    /**
     * Sweeps what dead processes left, checks the space, and starts a driver of one thread that parks when idle.
     *
     * @throws TransportException if there is too little space, with the numbers, or the driver does not start
     */
    public static DriverHost start(DriverSettings settings) {
        try {
            DriverDirectory.sweep(settings.parent());
            checkSpace(settings, Files.getFileStore(settings.parent()).getUsableSpace());
            DriverDirectory directory = DriverDirectory.create(settings.parent(), settings.job());
            try {
                return launch(directory, settings);
            } catch (RuntimeException e) {
                directory.close();
                throw new TransportException("the media driver did not start in " + directory.aeron(), e);
            }
        } catch (IOException e) {
            throw new TransportException("no directory for a media driver in " + settings.parent() + ": " + e, e);
        }
    }

    /**
     * Deletes what drivers of processes that are gone left in {@code parent}; returns whether nothing of process {@code pid} is there any more. For those who outlive the process
     * of their driver: else the next driver does it at its start, and until then the memory is taken.
     */
    public static boolean sweepAfter(long pid, Path parent) {
        try {
            DriverDirectory.sweep(parent);
            return !DriverDirectory.isThere(parent, pid);
        } catch (IOException e) {
            LOG.warn("{} was not swept: {}", parent, e.toString());
            return false;
        }
    }

    static void checkSpace(DriverSettings settings, long freeBytes) {
        if (freeBytes < settings.neededBytes()) {
            throw new TransportException("the media driver needs " + settings.neededBytes() + " bytes ("
                    + mebibytes(settings.neededBytes()) + ") in " + settings.parent() + ", only " + freeBytes + " ("
                    + mebibytes(freeBytes) + ") are free: enlarge it (docker run --shm-size), use smaller terms or"
                    + " another directory");
        }
    }

    private static String mebibytes(long bytes) {
        return (bytes >> 20) + " MiB";
    }

    private static DriverHost launch(DriverDirectory directory, DriverSettings settings) {
        MediaDriver driver = MediaDriver.launchEmbedded(new MediaDriver.Context()
                .aeronDirectoryName(directory.aeron().toString())
                .threadingMode(ThreadingMode.SHARED)
                .sharedIdleStrategy(new Patience())
                .lowStorageWarningThreshold(0)
                .counterValuesBufferLength(COUNTER_VALUES_BYTES)
                .initialWindowLength(settings.udpWindowBytes())
                .socketRcvbufLength(settings.udpWindowBytes())
                .socketSndbufLength(settings.udpWindowBytes())
                .clientLivenessTimeoutNs(PATIENCE_NS)
                .imageLivenessTimeoutNs(PATIENCE_NS)
                .publicationConnectionTimeoutNs(PATIENCE_NS)
                .publicationUnblockTimeoutNs(PATIENCE_NS + UNBLOCK_MARGIN_NS)
                .errorHandler(error -> LOG.warn("media driver: {}", error.toString()))
                .warnIfDirectoryExists(false)
                .dirDeleteOnShutdown(true));
        DriverHost host = new DriverHost(directory, driver);
        Runtime.getRuntime().addShutdownHook(host.atExit);
        return host;
    }

    /** What ranks connect to, see {@link io.penstock.transport.Member#driverDirectory}. */
    public Path directory() {
        return directory.aeron();
    }

    private void release() {
        if (closed.compareAndSet(false, true)) {
            driver.close();
            directory.close();
        }
    }

    @Override
    public void close() {
        try {
            Runtime.getRuntime().removeShutdownHook(atExit);
        } catch (IllegalStateException e) {
            LOG.debug("closed while the JVM exits", e);
        }
        release();
    }
}
