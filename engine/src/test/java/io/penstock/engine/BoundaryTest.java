package io.penstock.engine;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.api.Test;

/** The arrows between the rooms: tensor <- models <- partitioner <- engine -> transport. */
final class BoundaryTest {
    private static final JavaClasses MAIN = new ClassFileImporter()
            .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
            .importPackages("io.penstock");

    /** What each room may see of the others. */
    private static final Map<String, Set<String>> SEES = Map.of(
            "tensor", Set.of(),
            "transport", Set.of(),
            "models", Set.of("tensor"),
            "partitioner", Set.of("models", "tensor"),
            "engine", Set.of("partitioner", "models", "tensor", "transport"));

    private static String room(JavaClass type) {
        return type.getPackageName().split("\\.", -1)[2];
    }

    @Test
    void shouldReadTheClassesOfEveryRoom() {
        Map<String, Integer> classes = new TreeMap<>();
        MAIN.forEach(type -> classes.merge(room(type), 1, Integer::sum));
        assertEquals(new TreeSet<>(SEES.keySet()), new TreeSet<>(classes.keySet()));
        classes.forEach((room, count) -> assertTrue(count > 20, room + " has only " + count + " classes here"));
    }

    @Test
    void shouldHaveArrowsInOneDirection() {
        SEES.forEach((room, seen) -> SEES.keySet().stream()
                .filter(other -> !other.equals(room) && !seen.contains(other))
                .forEach(other -> noClasses()
                        .that()
                        .resideInAPackage("io.penstock." + room + "..")
                        .should()
                        .dependOnClassesThat()
                        .resideInAPackage("io.penstock." + other + "..")
                        .check(MAIN)));
    }

    /** Pure functions: what a plan is does not depend on a file, a clock, a thread or a machine. */
    @Test
    void shouldPlanWithoutFilesThreadsOrClocks() {
        noClasses()
                .that()
                .resideInAPackage("io.penstock.partitioner..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("java.io..", "java.nio..", "java.net..", "java.time..", "java.util.concurrent..")
                .orShould()
                .dependOnClassesThat()
                .areAssignableTo(Thread.class)
                .check(MAIN);
    }

    @Test
    void shouldKeepLibrariesInTheirRooms() {
        only("org.agrona..", "io.penstock.transport..");
        only("io.aeron..", "io.penstock.transport..");
        only("jdk.incubator.vector..", "io.penstock.tensor.cpu..", "io.penstock.engine.cli.doctor..");
        only("picocli..", "io.penstock.engine.cli..");
        only("org.snakeyaml..", "io.penstock.engine.config.yaml..");
        only("com.google.protobuf..", "io.penstock.engine.run..");
        only("com.knuddels..", "io.penstock.models.tokens..");
        only("net.openhft..", "io.penstock.engine.offload..");
    }

    private static void only(String library, String... homes) {
        noClasses()
                .that()
                .resideOutsideOfPackages(homes)
                .should()
                .dependOnClassesThat()
                .resideInAPackage(library)
                .check(MAIN);
    }

    /** The layers of a model know the interface to compute through, never who computes. */
    @Test
    void shouldComputeOnlyThroughTheBackend() {
        noClasses()
                .that()
                .resideInAnyPackage("io.penstock.models..", "io.penstock.partitioner..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("io.penstock.tensor.cpu..", "io.penstock.tensor.cuda..")
                .check(MAIN);
    }

    @Test
    void shouldMarkEveryPackageFreeOfNulls() {
        Set<String> unmarked = new TreeSet<>();
        for (JavaClass type : MAIN) {
            if (!type.getPackage().isAnnotatedWith(NullMarked.class)) {
                unmarked.add(type.getPackageName());
            }
        }
        assertEquals(Set.of(), unmarked, "packages without a @NullMarked package-info");
    }
}
