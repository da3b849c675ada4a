package io.penstock.transport.rendezvous;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.Map;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/** The secret of a run. Never printed, never sent: ranks prove that they know it with HMAC-SHA256. */
public final class JobToken {
    public static final String VARIABLE = "PENSTOCK_JOB_TOKEN";
    /** Names a file that holds the token, as mounted secrets do. */
    public static final String FILE_VARIABLE = "PENSTOCK_JOB_TOKEN_FILE";

    static final int PROOF_BYTES = 32;

    private static final int MIN_CHARACTERS = 16;
    private static final String ALGORITHM = "HmacSHA256";

    private final byte[] secret;

    private JobToken(byte[] secret) {
        this.secret = secret;
    }

    public static JobToken random() {
        byte[] bytes = new byte[32];
        new SecureRandom().nextBytes(bytes);
        return new JobToken(HexFormat.of().formatHex(bytes).getBytes(StandardCharsets.UTF_8));
    }

    /**
     * The token in {@link #VARIABLE}, else that in the file which {@link #FILE_VARIABLE} names, less surrounding white space.
     *
     * @throws RendezvousException if neither is set, the file cannot be read, or the token is too short
     */
    public static JobToken fromEnvironment(Map<String, String> environment) {
        String value = environment.get(VARIABLE);
        if (value != null) {
            return of(value, VARIABLE);
        }
        String file = environment.get(FILE_VARIABLE);
        if (file == null) {
            throw new RendezvousException("no job token: ranks need a secret that all of them share, " + MIN_CHARACTERS
                    + " characters or more, in " + VARIABLE + " or in a file that " + FILE_VARIABLE + " names");
        }
        try {
            return of(Files.readString(Path.of(file)), file);
        } catch (IOException | InvalidPathException e) {
            throw new RendezvousException(
                    "cannot read the job token from " + file + " (" + FILE_VARIABLE + "): " + e, e);
        }
    }

    private static JobToken of(String text, String origin) {
        String stripped = text.strip();
        if (stripped.length() < MIN_CHARACTERS) {
            throw new RendezvousException("the job token in " + origin + " has " + stripped.length() + " characters, "
                    + MIN_CHARACTERS + " are needed");
        }
        return new JobToken(stripped.getBytes(StandardCharsets.UTF_8));
    }

    /** For {@link #VARIABLE} in the environment of a child process; its only way out. */
    public String forChildEnvironment() {
        return new String(secret, StandardCharsets.UTF_8);
    }

    byte[] prove(String role, byte[]... parts) {
        try {
            Mac mac = Mac.getInstance(ALGORITHM);
            mac.init(new SecretKeySpec(secret, ALGORITHM));
            mac.update(role.getBytes(StandardCharsets.UTF_8));
            for (byte[] part : parts) {
                mac.update(new byte[] {
                    (byte) (part.length >>> 24),
                    (byte) (part.length >>> 16),
                    (byte) (part.length >>> 8),
                    (byte) part.length
                });
                mac.update(part);
            }
            return mac.doFinal();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("a JDK without " + ALGORITHM, e);
        }
    }

    /** Compares in constant time. */
    boolean isProof(byte[] proof, String role, byte[]... parts) {
        return MessageDigest.isEqual(proof, prove(role, parts));
    }

    @Override
    public String toString() {
        return "JobToken[hidden]";
    }
}
