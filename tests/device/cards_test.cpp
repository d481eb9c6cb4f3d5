// Which GPU is used, and what is said where one cannot be.
#include "device/device_run.h"

namespace labelprobe {
namespace {

using support::DeviceRun;
using support::on_gpu;
using support::run_on_standin;
using support::TempFolder;

// Numbers of CUDA's run-time library.
constexpr const char* kDriverTooOld = "35";
constexpr const char* kBusy = "46";

DeviceRun run_few(const std::string& device, const support::Environment& settings) {
  const TempFolder logs;
  return run_on_standin(support::run_arguments(logs.path(), {"--limit", "1", "--device", device}),
                        settings);
}

}  // namespace

TEST_CASE("A run on the second GPU leaves the first one alone", "[device]") {
  const DeviceRun run = run_few("cuda:1", {{"STANDIN_GPUS", "2"}});
  INFO(run.program.err);
  REQUIRE(run.program.exit_code == 0);
  CHECK_FALSE(run.complains());
  CHECK(run.peak_bytes(0) == 0);
  CHECK(run.peak_bytes(1) > 0);
  const DeviceRun missing = run_few("cuda:2", {{"STANDIN_GPUS", "2"}});
  CHECK(missing.program.exit_code == 2);
  CHECK_THAT(missing.program.err, ContainsSubstring("this machine has 2 GPU(s)"));
}

TEST_CASE("One model over two GPUs has the numbers of one, and each holds its half", "[device]") {
  const std::vector<std::string> flags = {"--limit", "2",   "--model-dtype", "bfloat16",
                                          "--quant", "nf4", "--batch-size",  "1"};
  const auto run = [&](const std::string& device, const std::filesystem::path& logs) {
    std::vector<std::string> arguments = flags;
    arguments.insert(arguments.end(), {"--device", device});
    return run_on_standin(support::run_arguments(logs, arguments), {{"STANDIN_GPUS", "2"}});
  };
  const TempFolder whole_logs;
  const DeviceRun whole = run("cuda:0", whole_logs.path());
  const TempFolder divided_logs;
  const DeviceRun divided = run("cuda:0,cuda:1", divided_logs.path());
  INFO(divided.program.err);
  REQUIRE(whole.program.exit_code == 0);
  REQUIRE(divided.program.exit_code == 0);
  CHECK_FALSE(divided.complains());
  CHECK_THAT(divided.program.err, ContainsSubstring("on cuda:0,cuda:1 (2 x "));
  CHECK(divided.peak_bytes(0) > 0);
  CHECK(divided.peak_bytes(1) > 0);
  const auto log_in = [](const std::filesystem::path& logs) {
    return support::read_file(logs / "GoEmotions" / "e2e_0" / "indexed_metrics.yml");
  };
  CHECK(log_in(divided_logs.path()) == log_in(whole_logs.path()));
}

// Hidden states, lens, parts, attention and knock-outs, each where its layer is.
TEST_CASE("Looks inside a model over two GPUs are those of the CPU", "[device]") {
  const TempFolder folder;
  const auto arguments = [&](const std::string& device) {
    return std::vector<std::string>{"inspect",
                                    "GoEmotions",
                                    "--config",
                                    "configs/example/config.yaml",
                                    "--model-name-or-path",
                                    support::fixture("e2e/model").string(),
                                    "--limit",
                                    "1",
                                    "--device",
                                    device,
                                    "--out",
                                    (folder.path() / (device + ".jsonl")).string()};
  };
  const auto numbers_of = [&](const std::string& device) {
    return nlohmann::json::parse(support::read_file(folder.path() / (device + ".jsonl"))).flatten();
  };
  REQUIRE(support::run_program(arguments("cpu")).exit_code == 0);
  const DeviceRun run = run_on_standin(arguments("cuda:0,cuda:1"), {{"STANDIN_GPUS", "2"}});
  INFO(run.program.err);
  REQUIRE(run.program.exit_code == 0);
  CHECK_FALSE(run.complains());
  const nlohmann::json on_cpu = numbers_of("cpu");
  const nlohmann::json on_gpus = numbers_of("cuda:0,cuda:1");
  REQUIRE(on_gpus.size() == on_cpu.size());
  for (const auto& [place, value] : on_cpu.items()) {
    if (!value.is_number()) continue;
    CAPTURE(place);
    CHECK(on_gpus.at(place).get<double>() == Approx(value.get<double>()).margin(1e-4));
  }
}

TEST_CASE("Devices that cannot share a model are told", "[device]") {
  const auto expect = [](const std::string& device, const std::string& message) {
    const DeviceRun run = run_few(device, {{"STANDIN_GPUS", "2"}});
    CAPTURE(device);
    CHECK(run.program.exit_code == 2);
    CHECK_THAT(run.program.err, ContainsSubstring(message));
  };
  expect("cuda:1,cuda:1", "cuda:1 is named twice");
  expect("cuda:0,cpu", "expected GPUs alone where a model is divided");
}

TEST_CASE("Every generation of GPUs runs the kernels", "[device]") {
  for (const char* architecture : {"80", "86", "120"}) {
    CAPTURE(architecture);
    const DeviceRun run = run_few("auto", {{"STANDIN_ARCHITECTURE", architecture}});
    INFO(run.program.err);
    CHECK(run.program.exit_code == 0);
    CHECK_FALSE(run.complains());
    CHECK(run.launches("attend_items") > 0);
  }
}

TEST_CASE("A GPU that another process holds is an error that names it", "[device]") {
  const DeviceRun run = run_few("cuda", {{"STANDIN_MEMORY_ERROR", kBusy}, {"STANDIN_GPUS", "2"}});
  CHECK(run.program.exit_code == 4);
  CHECK_THAT(run.program.err, ContainsSubstring("cuda:0") && ContainsSubstring("busy") &&
                                  ContainsSubstring("--device cuda:1"));
  CHECK_THAT(run.program.err, !ContainsSubstring("internal error"));
}

TEST_CASE("Kernels that were built for other GPUs are an error that says what to do", "[device]") {
  const DeviceRun run = run_few("cuda", {{"STANDIN_NO_IMAGE", "1"}});
  CHECK(run.program.exit_code == 4);
  CHECK_THAT(run.program.err, ContainsSubstring("no kernel image") &&
                                  ContainsSubstring("-DCMAKE_CUDA_ARCHITECTURES=native"));
  CHECK_THAT(run.program.err, !ContainsSubstring("internal error"));
}

TEST_CASE("Another failure of a GPU is told in one line", "[device]") {
  constexpr const char* kUnknown = "999";
  const DeviceRun run = run_few("cuda", {{"STANDIN_MEMORY_ERROR", kUnknown}});
  CHECK(run.program.exit_code == 4);
  CHECK_THAT(run.program.err, ContainsSubstring("cuda:0 (Stand-in GPU) cannot be used: "));
  CHECK_THAT(run.program.err, !ContainsSubstring("CUDA_LAUNCH_BLOCKING"));
}

TEST_CASE("Where a GPU is there and cannot be used, auto says why and goes on with the CPU",
          "[device]") {
  const DeviceRun run = run_few("auto", {{"STANDIN_COUNT_ERROR", kDriverTooOld}});
  INFO(run.program.err);
  CHECK(run.program.exit_code == 0);
  CHECK_THAT(run.program.err, ContainsSubstring("driver") && ContainsSubstring("on cpu"));
  const DeviceRun wanted = run_few("cuda", {{"STANDIN_COUNT_ERROR", kDriverTooOld}});
  CHECK(wanted.program.exit_code == 2);
  CHECK_THAT(wanted.program.err, ContainsSubstring("driver"));
}

TEST_CASE("Without our kernels a log has the CPU's labels, in few launches, and a warning tells",
          "[device]") {
  const TempFolder logs;
  const DeviceRun run = run_on_standin(on_gpu(logs.path()), {{"LABELPROBE_CUDA_KERNELS", "0"}});
  INFO(run.program.err);
  CHECK(run.program.exit_code == 0);
  CHECK_FALSE(run.complains());
  CHECK(run.launches("labelprobe::") == 0);
  CHECK_THAT(run.program.err,
             ContainsSubstring("warning") && ContainsSubstring("LABELPROBE_CUDA_KERNELS"));
  const auto labels_in = [](const std::filesystem::path& folder) {
    return support::read_file(folder / "GoEmotions" / "e2e_0" / "metrics.yml");
  };
  const TempFolder on_cpu;
  REQUIRE(support::run_program(support::run_arguments(on_cpu.path())).exit_code == 0);
  CHECK(labels_in(logs.path()) == labels_in(on_cpu.path()));
  // A step of all prompts together has two layers of a few dozen operators.
  const TempFolder again;
  const DeviceRun with = run_on_standin(on_gpu(again.path()));
  CHECK(run.launches() < 12 * with.launches());
}

}  // namespace labelprobe
