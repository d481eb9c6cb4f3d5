#include "app/terminal/progress.h"

#include "support/catch.h"

namespace labelprobe::app {
namespace {

experiment::Progress progress(std::size_t n_done, std::int64_t n_computed) {
  experiment::Progress now;
  now.n_done = n_done;
  now.n_total = 40;
  now.effort.n_prompt_tokens_computed = n_computed;
  now.n_tokens_at_most = 1000;
  return now;
}

}  // namespace

TEST_CASE("Progress says items, time, time left and pace", "[unit]") {
  CHECK(describe_progress(progress(0, 0), "", 0, false) == "0/40 items");
  CHECK(describe_progress(progress(10, 250), "", 5, false) ==
        "10/40 items, 0m05s, 0m15s left, 50 tokens/s");
  CHECK(describe_progress(progress(40, 1000), "cell 2/9", 3700, false) ==
        "cell 2/9: 40/40 items, 1h01m in all, 0 tokens/s");
}

TEST_CASE("The bar moves within a batch, and is full only at the end", "[unit]") {
  CHECK(describe_progress(progress(0, 500), "cell 2/9", 10, true) ==
        "cell 2/9 [==========>         ] 0/40 items, 0m10s, 0m10s left, 50 tokens/s");
  CHECK_THAT(describe_progress(progress(39, 1000), "", 10, true),
             ContainsSubstring("[===================>]"));
  CHECK_THAT(describe_progress(progress(40, 1000), "", 10, true),
             ContainsSubstring("[====================]"));
}

TEST_CASE("Tokens of readouts move the bar and count to the pace", "[unit]") {
  experiment::Progress now = progress(0, 100);
  now.effort.n_generated_tokens = 100;
  now.effort.n_places = 300;
  CHECK(describe_progress(now, "", 10, true) ==
        "[==========>         ] 0/40 items, 0m10s, 0m10s left, 50 tokens/s");
}

TEST_CASE("What an earlier process did is no part of the pace", "[unit]") {
  experiment::Progress now = progress(20, 0);
  now.n_resumed = 20;
  now.effort.n_prompt_tokens_computed = 500;
  now.n_done = 30;
  // Half of what was left took ten seconds.
  CHECK(describe_progress(now, "", 10, false) == "30/40 items, 0m10s, 0m10s left, 50 tokens/s");
}

}  // namespace labelprobe::app
