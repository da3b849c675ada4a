package io.penstock.models.weights;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.penstock.tensor.DType;
import io.penstock.tensor.Shape;
import io.penstock.tensor.Tensor;
import io.penstock.tensor.TestTensors;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class SafetensorsTest {
    @TempDir
    Path folder = Path.of("");

    /** A file spelt out by hand from the format's specification. */
    private Path file(String header, byte... data) throws IOException {
        byte[] text = header.getBytes(StandardCharsets.UTF_8);
        ByteBuffer bytes = ByteBuffer.allocate(8 + text.length + data.length).order(ByteOrder.LITTLE_ENDIAN);
        bytes.putLong(text.length).put(text).put(data);
        return Files.write(folder.resolve("hand.safetensors"), bytes.array());
    }

    @Test
    void shouldReadEveryFloatTypeOfAFileSpeltByHand() throws IOException {
        Path path = file("""
                {"__metadata__":{"format":"pt"},
                 "f32":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},
                 "bf16":{"dtype":"BF16","shape":[1,2],"data_offsets":[8,12]},
                 "mask":{"dtype":"BOOL","shape":[],"data_offsets":[16,17]},
                 "f16":{"dtype":"F16","shape":[2,1],"data_offsets":[12,16]}} \s""", new byte[] {
            0,
            0,
            (byte) 0x80,
            0x3f,
            0,
            0,
            0x20,
            (byte) 0xc1, // 1, -10
            (byte) 0x80,
            0x3f,
            0x40,
            (byte) 0xc0, // 1, -3
            0,
            0x3c,
            1,
            0, // 1, 2^-24
            1
        });
        try (SafetensorsFile opened = SafetensorsFile.open(path)) {
            assertEquals(Map.of("format", "pt"), opened.metadata());
            assertEquals(
                    List.of("f32", "bf16", "f16", "mask"),
                    opened.tensors().stream().map(StoredTensor::name).toList());
            assertArrayEquals(new double[] {1, -10}, read(opened, "f32", DType.F32, 2));
            assertArrayEquals(new double[] {1, -10}, read(opened, "f32", DType.BF16, 2));
            assertArrayEquals(new double[] {1, -3}, read(opened, "bf16", DType.F32, 1, 2));
            assertArrayEquals(new double[] {1, 0x1p-24}, read(opened, "f16", DType.F32, 2, 1));
            Tensor second = TestTensors.zeros(DType.F32, 1);
            opened.read(opened.find("f16").orElseThrow(), 1, second);
            assertEquals(0x1p-24, second.get(0));
            var error = assertThrows(ModelFileException.class, () -> read(opened, "mask", DType.F32, 1));
            assertTrue(String.valueOf(error.getMessage()).contains("BOOL"), error.getMessage());
        }
    }

    private static double[] read(SafetensorsFile file, String name, DType dtype, long... dims) {
        Tensor into = TestTensors.zeros(dtype, dims);
        file.read(file.find(name).orElseThrow(), into);
        return TestTensors.values(into);
    }

    @Test
    void shouldReadWhatItWroteInAnyOrderAndFromStridedRows() throws IOException {
        Path path = folder.resolve("deep/model.safetensors");
        Tensor wide = TestTensors.random(1, DType.F32, 7, 13);
        Tensor bf16 = TestTensors.random(2, DType.BF16, 300, 2000); // more than one chunk of the writer
        Tensor columns = Tensor.strided(wide.segment(), DType.F32, Shape.of(7, 5), 13);
        var declared = List.of(
                new SafetensorsWriter.Declared("bf16", DType.BF16, bf16.shape()),
                new SafetensorsWriter.Declared("ü.weight", DType.F32, columns.shape()));
        try (SafetensorsWriter writer = SafetensorsWriter.create(path, declared, Map.of("format", "pt"))) {
            writer.write("ü.weight", columns);
            assertThrows(IllegalStateException.class, writer::commit);
            assertThrows(IllegalStateException.class, () -> writer.write("bf16", wide));
            writer.write("bf16", bf16);
            assertFalse(Files.exists(path));
            writer.commit();
        }
        try (SafetensorsFile file = SafetensorsFile.open(path)) {
            assertArrayEquals(TestTensors.values(bf16), read(file, "bf16", DType.BF16, 300, 2000));
            assertArrayEquals(TestTensors.values(columns), read(file, "ü.weight", DType.F32, 7, 5));
            file.tensors()
                    .forEach(tensor ->
                            assertEquals(0, tensor.offset() % tensor.type().bytes()));
            assertEquals(Map.of("format", "pt"), file.metadata());
        }
        try (var left = Files.list(path.resolveSibling(""))) {
            assertEquals(1, left.count());
        }
    }

    @Test
    void shouldLeaveNothingButTheOldFileWhenNotCommitted() throws IOException {
        Path path = Files.writeString(folder.resolve("model.safetensors"), "old");
        var declared = List.of(new SafetensorsWriter.Declared("x", DType.F32, Shape.of(2)));
        SafetensorsWriter.create(path, declared, Map.of()).close();
        assertEquals("old", Files.readString(path));
        try (var left = Files.list(folder)) {
            assertEquals(1, left.count());
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            {"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}} | :120: 'b' begins at byte 120, overlapping
            {"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[8,12]}} | leaving a gap
            {"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}} | :9: 'a' F32[3] does not fit its 8 bytes
            {"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0]}} | does not fit its 0 bytes
            {"a":{"dtype":"F32","shape":[-3],"data_offsets":[0,12]}} | expected dtype, shape and data_offsets
            {"a":{"dtype":"F99","shape":[3],"data_offsets":[0,12]}} | unknown dtype F99
            {"a":{"dtype":"F32","shape":[3],"data_offsets":[12,0]}} | expected dtype, shape and data_offsets
            {"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}} | the file at 74
            {"a":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}} | cut short
            {"a":{"dtype":"F32","shape":[3],"data_offsets":[0,12]},"a":{}} | Duplicate
            {"a":{"dtype":"F32","shape":[3] | :
            [1] | no JSON object
            """)
    void shouldSayWhereAFileIsDamaged(String header, String expected) throws IOException {
        Path path = file(header, new byte[12]);
        var error = assertThrows(ModelFileException.class, () -> SafetensorsFile.open(path));
        String message = String.valueOf(error.getMessage());
        assertTrue(message.startsWith(path.toString()), message);
        assertTrue(message.contains(expected), message);
    }

    @Test
    void shouldRefuseWhatIsNoSafetensorsFile() throws IOException {
        Path missing = folder.resolve("missing");
        assertMessage("no such file", missing);
        assertMessage(":0: no safetensors file: 0 bytes", Files.write(folder.resolve("empty"), new byte[0]));
        assertMessage("header of", Files.writeString(folder.resolve("text"), "this is not a model"));
    }

    private static void assertMessage(String expected, Path path) {
        var error = assertThrows(ModelFileException.class, () -> SafetensorsFile.open(path));
        assertTrue(String.valueOf(error.getMessage()).contains(expected), error.getMessage());
    }

    @Test
    void shouldOpenOrRefuseAnyMutatedFile() throws IOException {
        Path path = file("""
                {"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"BF16","shape":[2],"data_offsets":[8,12]}}""", new byte[12]);
        byte[] good = Files.readAllBytes(path);
        SplittableRandom random = new SplittableRandom(20261121);
        for (int i = 0; i < 500; i++) {
            byte[] bad = good.clone();
            for (int flips = random.nextInt(1, 4); flips > 0; flips--) {
                bad[random.nextInt(bad.length)] = (byte) random.nextInt(256);
            }
            Files.write(path, bad);
            try (SafetensorsFile file = SafetensorsFile.open(path)) {
                file.tensors().forEach(tensor -> file.data(tensor).byteSize());
            } catch (ModelFileException e) {
                assertTrue(String.valueOf(e.getMessage()).startsWith(path.toString()), e.getMessage());
            }
        }
    }
}
