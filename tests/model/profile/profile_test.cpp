// What a profile adds up, and that a recorded model answers as it does otherwise.
#include "labelprobe/model/profile.h"

#include <algorithm>
#include <numeric>

#include <nlohmann/json.hpp>

#include "labelprobe/core/error.h"
#include "labelprobe/model/open.h"

#include "model/profile/profile_summary.h"
#include "support/catch.h"
#include "support/generate.h"
#include "support/program.h"

namespace labelprobe::model {
namespace {

using support::TempFolder;

constexpr std::int64_t kMs = 1'000'000;

TracedEvent host(const char* name, std::int64_t begin_ms, std::int64_t end_ms, int thread = 1) {
  return {name, TracedEvent::Place::Host, static_cast<std::uint64_t>(thread), begin_ms * kMs,
          end_ms * kMs};
}

TracedEvent gpu(const char* name, std::int64_t begin_ms, std::int64_t end_ms) {
  return {name, TracedEvent::Place::Gpu, 0, begin_ms * kMs, end_ms * kMs};
}

void check_row(const ProfileRow& row, const char* name, std::int64_t n_calls, int ms) {
  CAPTURE(name);
  CHECK(row.name == name);
  CHECK(row.n_calls == n_calls);
  CHECK(row.seconds == Approx(ms * 1e-3));
}

TEST_CASE("An operator's own time leaves out what it called, and what nobody did is left",
          "[model]") {
  // Recorded from 10 to 110 ms: linear 10 to 40 with addmm in 12 to 32, in which a copy; a second
  // linear at once; sum ends after the recording. Another thread's work takes nothing from these.
  const ProfileSummary summary = summarize(
      {{host("addmm", 12, 32), host("linear", 10, 40), host("copy", 30, 32), host("linear", 40, 60),
        host("sum", 100, 150), host("early", 1, 10), host("read", 15, 35, 2)},
       10 * kMs,
       110 * kMs,
       1});
  CHECK(summary.seconds == Approx(0.1));
  REQUIRE(summary.operators.size() == 5);
  check_row(summary.operators[0], "linear", 2, 30);
  check_row(summary.operators[1], "read", 1, 20);
  check_row(summary.operators[2], "addmm", 1, 18);
  check_row(summary.operators[3], "sum", 1, 10);
  check_row(summary.operators[4], "copy", 1, 2);
  CHECK(summary.unnamed_seconds == Approx(0.040));
  CHECK(summary.kernels.empty());
}

TEST_CASE("A GPU is busy while any kernel runs, however many do", "[model]") {
  const ProfileSummary summary =
      summarize({{gpu("gemm", 0, 30), gpu("copy", 20, 40), gpu("gemm", 22, 25), gpu("gemm", 60, 90),
                  host("launch", 0, 5)},
                 0,
                 80 * kMs,
                 1});
  CHECK(summary.gpu_busy_seconds == Approx(0.060));
  REQUIRE(summary.kernels.size() == 2);
  check_row(summary.kernels[0], "gemm", 3, 53);
  check_row(summary.kernels[1], "copy", 1, 20);
  CHECK(summary.unnamed_seconds == Approx(0.075));
}

std::unique_ptr<LanguageModel> open_tiny() {
  return open(support::fixture("model/llama_gqa_llama3_rope"),
              {.dtype = DType::Float32, .device = "cpu", .n_threads = 2});
}

const std::vector<TokenIds> kProfiledPrompts = {{5, 6, 7, 8}, {5, 6, 9}, {11, 12, 13, 14, 15}};

GenerateOptions five_tokens() {
  GenerateOptions options;
  options.stop.max_new_tokens = 5;
  options.keep_logits = true;
  return options;
}

TEST_CASE("A recorded model answers the same, and its trace names its operators", "[model]") {
  const TempFolder folder;
  const auto alone = open_tiny();
  const auto expected = support::generate_all(*alone, kProfiledPrompts, five_tokens());

  const auto model = open_tiny();
  Profile profile(folder.path() / "trace.json");
  CHECK(std::filesystem::is_empty(folder.path()));
  CHECK_FALSE(profile.finish());
  LanguageModel& watched = profile.watch(*model);
  const auto answers = support::generate_all(watched, kProfiledPrompts, five_tokens());
  support::generate_all(watched, kProfiledPrompts, five_tokens());  // not recorded
  for (std::size_t i = 0; i < kProfiledPrompts.size(); ++i) {
    CHECK(answers[i].token_ids == expected[i].token_ids);
    CHECK(answers[i].logits == expected[i].logits);
  }

  const auto summary = profile.finish();
  REQUIRE(summary);
  CHECK(summary->is_whole);
  CHECK_FALSE(summary->is_gpu);
  double seconds = summary->unnamed_seconds;
  bool has_product = false;
  for (const ProfileRow& row : summary->operators) {
    seconds += row.seconds;
    has_product |= row.name.find("linear") != std::string::npos ||
                   row.name.find("multiply_by_tiles") != std::string::npos;
  }
  CHECK(has_product);
  CHECK(seconds == Approx(summary->seconds));

  const auto trace = nlohmann::json::parse(support::read_file(profile.trace()));
  const auto& events = trace.at("traceEvents");
  const std::string& name = summary->operators.front().name;
  CHECK(std::count_if(events.begin(), events.end(), [&](const nlohmann::json& event) {
          return event.value("ph", "") == "X" && event.value("name", "") == name;
        }) == summary->operators.front().n_calls);
}

TEST_CASE("Recording stops at its limit and the answers go on", "[model]") {
  const TempFolder folder;
  const auto expected = support::generate_all(*open_tiny(), kProfiledPrompts, five_tokens());
  const auto model = open_tiny();
  Profile profile(folder.path() / "trace.json", {.n_operators = 20});
  const auto answers =
      support::generate_all(profile.watch(*model), kProfiledPrompts, five_tokens());
  CHECK(answers.back().token_ids == expected.back().token_ids);
  const auto summary = profile.finish();
  REQUIRE(summary);
  CHECK_FALSE(summary->is_whole);
  const std::int64_t n_calls =
      std::accumulate(summary->operators.begin(), summary->operators.end(), std::int64_t{0},
                      [](std::int64_t n, const ProfileRow& row) { return n + row.n_calls; });
  CHECK(n_calls <= 20);
  CHECK(n_calls >= 18);

  // The next one records again.
  Profile next(folder.path() / "next.json");
  support::generate_all(next.watch(*model), kProfiledPrompts, five_tokens());
  CHECK(next.finish()->is_whole);
}

TEST_CASE("A failure amid recording passes through, and recording can begin anew", "[model]") {
  const TempFolder folder;
  const auto model = open_tiny();
  Profile profile(folder.path() / "trace.json");
  LanguageModel& watched = profile.watch(*model);
  CHECK_THROWS_AS(watched.generate(kProfiledPrompts, five_tokens(),
                                   [](auto) { throw DataError("the disk is full"); }),
                  DataError);
  CHECK_FALSE(profile.finish());
  support::generate_all(watched, kProfiledPrompts, five_tokens());
  CHECK(profile.finish());
}

TEST_CASE("A trace that cannot be written is refused at once", "[model]") {
  const TempFolder folder;
  CHECK_THROWS_AS(Profile(folder.path() / "nowhere" / "trace.json"), ConfigError);
  CHECK_THROWS_AS(Profile(folder.path()), ConfigError);
}

}  // namespace
}  // namespace labelprobe::model
