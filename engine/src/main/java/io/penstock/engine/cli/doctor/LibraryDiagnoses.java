package io.penstock.engine.cli.doctor;

import java.util.List;

/** oneDNN in our jars. */
final class LibraryDiagnoses {
    private static final String ONE_DNN = "org/bytedeco/dnnl/linux-x86_64/libdnnl.so.3";

    private LibraryDiagnoses() {}

    static List<Diagnosis> all() {
        return List.of(oneDnn(LibraryDiagnoses.class.getClassLoader()));
    }

    static Diagnosis oneDnn(ClassLoader loader) {
        return loader.getResource(ONE_DNN) != null
                ? Diagnosis.ok("oneDNN", ONE_DNN)
                : Diagnosis.bad(
                        "oneDNN",
                        "not on the class path",
                        "delete engine/target and run ./penstock again: the build fetches it");
    }
}
