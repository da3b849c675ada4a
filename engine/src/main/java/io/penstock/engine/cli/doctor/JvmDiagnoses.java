package io.penstock.engine.cli.doctor;

import java.util.List;
import jdk.incubator.vector.FloatVector;

/** The JDK and what it makes of the CPU. */
final class JvmDiagnoses {
    private JvmDiagnoses() {}

    static List<Diagnosis> all() {
        return List.of(jdk(Runtime.version()), vectors());
    }

    /** 25.0.0 to 25.0.2 can move objects that native code holds (JDK-8377811); 26 is untried. */
    static Diagnosis jdk(Runtime.Version version) {
        String found = version + ", " + System.getProperty("java.vendor") + ", " + System.getProperty("java.home");
        boolean fits = version.feature() == 25 && (version.interim() > 0 || version.update() >= 3);
        return fits
                ? Diagnosis.ok("JDK", found)
                : Diagnosis.bad("JDK", found, "install JDK 25.0.3 or a newer 25, or set PENSTOCK_JAVA_HOME to one");
    }

    private static Diagnosis vectors() {
        if (ModuleLayer.boot().findModule("jdk.incubator.vector").isEmpty()) {
            return Diagnosis.bad(
                    "Vector API",
                    "module jdk.incubator.vector is not there",
                    "start java with the flags of jvm.properties");
        }
        return Diagnosis.ok("Vector API", FloatVector.SPECIES_PREFERRED.length() + " floats wide");
    }
}
