#include "labelprobe/record/run_origin.h"

#include "labelprobe/record/run.h"

#include "record/items.h"
#include "support/catch.h"
#include "support/files.h"
#include "support/paths.h"

namespace labelprobe::record {
namespace {

TEST_CASE("A run's options, what computed it and its metrics are read back", "[run_origin]") {
  const support::TempFolder folder;
  RunRequest request = make_request(folder.path());
  request.params.push_back({"splits", std::vector<std::string>{"dev, old", "test"}});
  request.params.push_back({"unset", {}});
  request.params.push_back({"n_shots", std::int64_t{5}});
  Run files = Run::open(request);
  Provenance made;
  made.program = "9.9";
  made.data_files = {{"data/test.tsv", "12ab"}};
  files.add_provenance(made);
  files.append(std::vector{make_item("a")});
  const std::vector<std::string> keys = {"a"};
  files.finish(keys, Metrics{{"micro_f1", 0.25}}, {});

  const RunOrigin origin = read_origin(read_run(files.folder()));
  CHECK(origin.options.at("splits") == std::vector<std::string>{"dev, old", "test"});
  CHECK(origin.options.at("unset").empty());
  CHECK(origin.options.at("n_shots") == std::vector<std::string>{"5"});
  REQUIRE(origin.provenance.size() == 1);
  CHECK(origin.provenance.front() == made);
  CHECK(origin.metrics == std::map<std::string, std::string>{{"test_micro_f1", "0.25"}});
}

TEST_CASE("A published log tells options and nothing else", "[run_origin]") {
  const support::TempFolder folder;
  support::write_file(folder.path() / "indexed_metrics.yml",
                      "experiment_0:\n  a: {test_preds: [joy], test_gt: [joy]}\n");
  support::write_file(folder.path() / "params.yml",
                      "experiment_0:\n  shot: 5\n  ids: null\n  splits: [dev, test]\n");
  const RunOrigin origin = read_origin(read_run(folder.path()));
  CHECK(origin.options == OptionValues{{"shot", {"5"}}, {"ids", {}}, {"splits", {"dev", "test"}}});
  CHECK(origin.provenance.empty());
  CHECK(origin.metrics.empty());
}

}  // namespace
}  // namespace labelprobe::record
