#include <fstream>

#include "labelprobe/core/error.h"

#include "record/folder/folder_name.h"
#include "record/items.h"
#include "support/catch.h"
#include "support/paths.h"

namespace fs = std::filesystem;
using labelprobe::ConfigError;
using labelprobe::record::default_name;
using labelprobe::record::encode_in_name;
using labelprobe::record::IfFinished;
using labelprobe::record::make_item;
using labelprobe::record::make_request;
using labelprobe::record::name_keys;
using labelprobe::record::param_of;
using labelprobe::record::preview;
using labelprobe::record::Run;
using labelprobe::record::RunRequest;
using labelprobe::record::wanted_name;

namespace {

const std::string kDefaultName =
    "baseline,meta-llama--Llama-3.1-8B,None,None,multilabel,10,aggregate,json,None";

// Runs one item, as another experiment beside equal ones, and returns where it went, below the log
// root.
std::string run_once(RunRequest request) {
  request.if_finished = IfFinished::Append;
  CHECK(preview(request).folder.lexically_relative(request.log_root).string() != "");
  const auto previewed = preview(request);
  Run run = Run::open(request);
  CHECK(run.folder() == previewed.folder);
  CHECK(run.experiment_index() == previewed.experiment_index);
  const auto item = make_item("a");
  run.append({&item, 1});
  const std::string key = "a";
  run.finish({&key, 1}, std::nullopt, {});
  return run.folder().lexically_relative(request.log_root).string() + " " +
         std::to_string(run.experiment_index());
}

void touch(const fs::path& path, const std::string& text = "") {
  fs::create_directories(path.parent_path());
  std::ofstream(path) << text;
}

}  // namespace

TEST_CASE("The default name is the published one", "[folder]") {
  RunRequest request = make_request("logs");
  CHECK(default_name(request) == kDefaultName);
  request.params.push_back({"train_pred_log_dir", std::string("logs/a,b=c"), true, 0});
  request.params.push_back({"dev_pred_log_dir", std::vector<std::string>{"x", "y"}, true, 0});
  CHECK(default_name(request) ==
        "baseline,meta-llama--Llama-3.1-8B,None,None,multilabel,10,aggregate,"
        "logs--a---b--eq--c,x+y,json,None");
  CHECK(name_keys(request)[1].first == "__model_name_or_path___");
  CHECK(name_keys(request)[7].first == "ctrain_pred_log_dir___");
}

TEST_CASE("Values in names are spelled as Python spells them", "[folder]") {
  CHECK(encode_in_name(true) == "True");
  CHECK(encode_in_name(std::monostate()) == "None");
  CHECK(encode_in_name(1e-5) == "1e-05");
  CHECK(encode_in_name(2.0) == "2.0");
  CHECK(encode_in_name(std::int64_t{-3}) == "-3");
}

TEST_CASE("An alternative name is a template that may make folders", "[folder]") {
  RunRequest request = make_request("logs");
  request.alternative_name = "main_test_set/{distribution}/{model_name_or_path}";
  CHECK(wanted_name(request) == "main_test_set/baseline/meta-llama--Llama-3.1-8B");

  request.alternative_name = "x/{distributoin}";
  CHECK_THROWS_AS(wanted_name(request), ConfigError);
  CHECK_THROWS_WITH(wanted_name(request), ContainsSubstring("did you mean 'distribution'?"));
  request.alternative_name = "x/{shot";
  CHECK_THROWS_WITH(wanted_name(request), ContainsSubstring("expected '}'"));
  for (const char* name : {"../x", "/tmp/x", "a//b", "a/", ".", "a/../b"}) {
    request.alternative_name = name;
    CHECK_THROWS_AS(wanted_name(request), ConfigError);
  }
  request.alternative_name = std::string(300, 'x');
  CHECK_THROWS_WITH(wanted_name(request), ContainsSubstring("found 300"));
}

TEST_CASE("Equal runs share a folder, different ones do not", "[folder]") {
  const labelprobe::support::TempFolder folder;
  RunRequest request = make_request(folder.path());
  const std::string first = "MFRC/" + kDefaultName;
  CHECK(run_once(request) == first + "_0 0");
  CHECK(run_once(request) == first + "_0 1");
  // Another seed is another experiment of the same folder.
  CHECK(run_once(make_request(folder.path(), 1)) == first + "_0 2");

  // Not part of the name, but of the comparison.
  param_of(request, "incontext_prompt").value = "Input: {text} {label}";
  CHECK(run_once(request) == first + "_1 0");
  CHECK(run_once(make_request(folder.path(), 2)) == first + "_0 3");

  // Inactive values are as good as none.
  request.params.push_back({"a_new_option", std::int64_t{0}});
  request.params.push_back({"another", std::string()});
  CHECK(run_once(request) == first + "_1 1");
  request.params.push_back({"a_third", true});
  CHECK(run_once(request) == first + "_2 0");
  param_of(request, "shot").value = std::int64_t{5};
  CHECK(run_once(request).ends_with(",5,aggregate,json,None_0 0"));
}

TEST_CASE("An integer option equals the same number given as a fraction", "[folder]") {
  const labelprobe::support::TempFolder folder;
  RunRequest request = make_request(folder.path());
  const std::string first = run_once(request);
  param_of(request, "shot").value = 10.0;
  CHECK(run_once(request).substr(0, first.size() - 1) == first.substr(0, first.size() - 1));
}

TEST_CASE("With several equivalent folders only exact parameters decide", "[folder]") {
  const labelprobe::support::TempFolder folder;
  RunRequest request = make_request(folder.path());
  request.alternative_name = "one";
  run_once(request);
  fs::copy(folder.path() / "MFRC" / "one_0", folder.path() / "MFRC" / "one_9");
  CHECK(run_once(request) == "MFRC/one_0 1");
  RunRequest other_seed = make_request(folder.path(), 1);
  other_seed.alternative_name = "one";
  CHECK(run_once(other_seed) == "MFRC/one_1 0");
}

TEST_CASE("A folder of equal runs moves to the alternative name where that is asked for",
          "[folder]") {
  const labelprobe::support::TempFolder folder;
  RunRequest request = make_request(folder.path());
  const std::string before = run_once(request);
  touch(folder.path() / "MFRC" / "new" / "place_0");  // a stray file takes the name
  request.alternative_name = "new/place";
  request.moves_equal = true;
  CHECK(run_once(request) == "MFRC/new/place_1 1");
  CHECK_FALSE(fs::exists(folder.path() / before.substr(0, before.size() - 2)));
  CHECK(run_once(request) == "MFRC/new/place_1 2");
  // No name asked for: found where it is.
  request.alternative_name.clear();
  CHECK(run_once(request) == "MFRC/new/place_1 3");
  // Even a finished one.
  request.alternative_name = "last";
  const Run moved = Run::open(request);
  CHECK(moved.was_finished());
  CHECK(moved.folder() == folder.path() / "MFRC" / "last_0");
}

TEST_CASE("A run of another alternative name leaves earlier folders where they are", "[folder]") {
  const labelprobe::support::TempFolder folder;
  RunRequest request = make_request(folder.path());
  request.alternative_name = "first";
  CHECK(run_once(request) == "MFRC/first_0 0");
  // Another experiment, or another seed, goes to the name that was asked for.
  request.alternative_name = "second";
  CHECK(run_once(request) == "MFRC/second_0 0");
  RunRequest seed = make_request(folder.path(), 1);
  seed.alternative_name = "third";
  CHECK(preview(seed).notes ==
        std::vector<std::string>{
            "runs of the same settings are in " + (folder.path() / "MFRC" / "first_0").string() +
                " and stay there (--move-equal moves them)",
            "runs of the same settings are in " + (folder.path() / "MFRC" / "second_0").string() +
                " and stay there (--move-equal moves them)"});
  CHECK(run_once(seed) == "MFRC/third_0 0");
  CHECK(run_once(seed) == "MFRC/third_0 1");
  CHECK(fs::exists(folder.path() / "MFRC" / "first_0"));
  // The very run is finished or gone on with where it is.
  RunRequest unfinished = make_request(folder.path(), 2);
  unfinished.alternative_name = "first";
  const auto item = make_item("a");
  Run::open(unfinished).append({&item, 1});
  unfinished.alternative_name = "fourth";
  const Run run = Run::open(unfinished);
  CHECK(run.folder() == folder.path() / "MFRC" / "first_0");
  CHECK(run.finished().size() == 1);
  CHECK_THAT(run.notes()[0], ContainsSubstring("this run is in ") &&
                                 ContainsSubstring("begun under another name (--move-equal"));
}

TEST_CASE("An exact match goes before all equivalent ones, at any depth", "[folder]") {
  const labelprobe::support::TempFolder folder;
  const auto named = [&](const std::string& name, std::int64_t seed) {
    RunRequest request = make_request(folder.path(), seed);
    request.alternative_name = name;
    request.moves_equal = true;
    return request;
  };
  CHECK(run_once(named("a/b/c/{shot}", 0)) == "MFRC/a/b/c/10_0 0");
  // Another seed is equivalent, and the only one: it joins, and joins again.
  CHECK(run_once(named("a/b/c/{shot}", 1)) == "MFRC/a/b/c/10_0 1");
  fs::create_directories(folder.path() / "MFRC" / "z_3");
  fs::copy(folder.path() / "MFRC" / "a" / "b" / "c" / "10_0",
           folder.path() / "MFRC" / "z_3" / "d_5");
  // Two equivalent folders: a third seed belongs to neither, and then has its own.
  CHECK(run_once(named("a/b/c/{shot}", 2)) == "MFRC/a/b/c/10_1 0");
  CHECK(run_once(named("a/b/c/{shot}", 2)) == "MFRC/a/b/c/10_1 1");
  // Equal to an experiment that is not the folder's last.
  CHECK(run_once(named("a/b/c/{shot}", 0)) == "MFRC/a/b/c/10_0 2");
}

TEST_CASE("A finished run stays where it is and as it is", "[folder]") {
  const labelprobe::support::TempFolder folder;
  RunRequest request = make_request(folder.path());
  request.alternative_name = "first";
  run_once(request);
  run_once(request);
  param_of(request, "logging_level").value = std::string("info");  // computes nothing else
  request.alternative_name = "second";
  const auto seen = preview(request);
  CHECK(seen.is_finished);
  CHECK(seen.experiment_index == 0);
  CHECK(seen.folder == folder.path() / "MFRC" / "first_0");
  // Another process may be writing there.
  const Run writer = Run::open(make_request(folder.path(), 1));
  const Run run = Run::open(request);
  CHECK(run.was_finished());
  CHECK(run.experiment_index() == 0);
  CHECK(run.folder() == seen.folder);
  REQUIRE(run.notes().size() == 1);
  CHECK_THAT(run.notes()[0], ContainsSubstring("first_0, where it was begun under another name"));
  CHECK_FALSE(writer.was_finished());
  // It is not moved while that process is at it.
  request.moves_equal = true;
  CHECK(preview(request).folder == seen.folder);
  CHECK(Run::open(request).folder() == seen.folder);
  request.moves_equal = false;

  request.contents["prompts"] += "+";
  CHECK_FALSE(preview(request).is_finished);
  CHECK(preview(request).folder == folder.path() / "MFRC" / "second_0");
}

TEST_CASE("A finished run tells how many of its items failed", "[folder]") {
  const labelprobe::support::TempFolder folder;
  const RunRequest request = make_request(folder.path());
  {
    Run run = Run::open(request);
    std::vector<labelprobe::record::ItemRecord> items = {make_item("a"), make_item("b")};
    items[1].failure = "too long";
    run.append(items);
    const std::vector<std::string> keys = {"a", "b"};
    run.finish(keys, std::nullopt, {});
  }
  CHECK(preview(request).n_failed == 1);
}

TEST_CASE("A folder whose name begins as asked for stays, any other moves", "[folder]") {
  const labelprobe::support::TempFolder folder;
  RunRequest request = make_request(folder.path());
  request.alternative_name = "set/baseline";
  CHECK(run_once(request) == "MFRC/set/baseline_0 0");
  request.alternative_name = "set/base";  // as published: by the beginning of the path alone
  CHECK(run_once(request) == "MFRC/set/baseline_0 1");
  request.alternative_name = "other/{distribution}/{model_name_or_path}";
  request.moves_equal = true;
  CHECK(run_once(request) == "MFRC/other/baseline/meta-llama--Llama-3.1-8B_0 2");
  // An equivalent folder moves as an equal one does.
  request = make_request(folder.path(), 1);
  request.alternative_name = "third";
  request.moves_equal = true;
  CHECK(run_once(request) == "MFRC/third_0 3");
  CHECK(fs::is_directory(folder.path() / "MFRC" / "other"));
}

TEST_CASE("What is in the way of a name is passed by or named", "[folder]") {
  const labelprobe::support::TempFolder folder;
  const fs::path category = folder.path() / "MFRC";
  touch(category / "set_0" / "notes.txt");  // a level that looks like an experiment
  touch(category / "file");
  RunRequest request = make_request(folder.path());
  request.alternative_name = "set";
  CHECK(run_once(request) == "MFRC/set_1 0");
  RunRequest other = make_request(folder.path());
  param_of(other, "shot").value = std::int64_t{3};
  other.alternative_name = "file/{shot}";
  CHECK_THROWS_AS(Run::open(other), ConfigError);
  CHECK_THROWS_WITH(Run::open(other), ContainsSubstring("file"));
  other.alternative_name = "set_0/{shot}";
  CHECK(run_once(other) == "MFRC/set_0/3_0 0");
  fs::create_directory_symlink(category, category / "loop");  // is not followed
  CHECK(run_once(other) == "MFRC/set_0/3_0 1");
}

TEST_CASE("A folder that holds other experiments is not moved", "[folder]") {
  const labelprobe::support::TempFolder folder;
  RunRequest request = make_request(folder.path());
  request.alternative_name = "outer";
  run_once(request);
  RunRequest inner = make_request(folder.path());
  param_of(inner, "shot").value = std::int64_t{4};
  inner.alternative_name = "outer_0/inner";
  CHECK(run_once(inner) == "MFRC/outer_0/inner_0 0");
  CHECK(run_once(inner) == "MFRC/outer_0/inner_0 1");
  request.alternative_name = "elsewhere";
  request.moves_equal = true;
  CHECK(run_once(request) == "MFRC/outer_0 1");
}

TEST_CASE("Only a manifest makes an experiment folder", "[folder]") {
  const labelprobe::support::TempFolder folder;
  const fs::path category = folder.path() / "MFRC";
  touch(category / "stray.txt");
  touch(category / "level_7" / "notes.txt");
  touch(category / (kDefaultName + "_0") / "params.yml",
        "experiment_0: {}\n");  // of another program
  RunRequest request = make_request(folder.path());
  CHECK(run_once(request) == "MFRC/" + kDefaultName + "_1 0");
  RunRequest nested = make_request(folder.path());
  param_of(nested, "shot").value = std::int64_t{3};
  nested.alternative_name = "level_7/{shot}";
  CHECK(run_once(nested) == "MFRC/level_7/3_0 0");
  CHECK(run_once(nested) == "MFRC/level_7/3_0 1");
}

TEST_CASE("A damaged manifest is named with what is wrong", "[folder]") {
  const labelprobe::support::TempFolder folder;
  const RunRequest request = make_request(folder.path());
  const fs::path manifest = folder.path() / "MFRC" / "old_0" / "manifest.json";
  const std::string head = R"({"format":1,"not_comparable":[],"params":{},"experiments":[)";
  const auto experiment = [&](const std::string& state, const std::string& sizes) {
    return head + R"({"index":0,"state":")" + state +
           R"(","params_changed":{},"params_absent":[],"contents_fingerprint":"","sizes":)" +
           sizes + "}]}";
  };
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"", "not JSON"},
      {"{", "not JSON"},
      {"[]", "\"format\": 1"},
      {R"({"format":4})", "\"format\": 1"},
      {R"({"format":3,"not_comparable":[],"params":{},"experiments":[]})", "its checksum"},
      {R"({"format":1})", "'not_comparable'"},
      {R"({"format":1,"not_comparable":[1],"params":{},"experiments":[]})", "only strings"},
      {R"({"format":1,"not_comparable":[],"params":{"a":{}},"experiments":[]})", "parameter 'a'"},
      {head + "{}]}", "experiment 0"},
      {head + R"({"index":1}]})", "experiment 0"},
      {experiment("lost", "{}"), "unknown state 'lost'"},
      {experiment("writing", R"({"../../precious.yml":0})"), "names of YAML files"},
      {experiment("writing", R"({"log.txt":0})"), "names of YAML files"},
      {experiment("writing", R"({"params.yml":-1})"), "a size in bytes"},
      {std::string(200000, '['), "not JSON"},
      {R"({"format":)" + std::string(200000, '[') + std::string(200000, ']') + "}",
       "\"format\": 1"},
      {experiment("finished", R"({},"n_failed":-1)"), "'n_failed'"},
      {experiment("finished", R"({},"contents":{"model":1})"), "only strings in 'contents'"},
      {experiment("finished", R"({},"files":{"a.yml":1})"), "an object for 'a.yml'"},
      {experiment("finished", R"({},"files":{"../../a.yml":{"begin":0,"end":0,"xxh3":""}})"),
       "names of YAML files in 'files'"},
      {experiment("finished", R"({},"files":{"a.yml":{"begin":2,"end":1,"xxh3":""}})"),
       "'begin' before 'end'"},
  };
  for (const auto& [text, finding] : cases) {
    touch(manifest, text);
    INFO(text.substr(0, 200));
    const auto seen = preview(request);
    CHECK(seen.folder == folder.path() / "MFRC" / (kDefaultName + "_0"));
    REQUIRE(seen.notes.size() == 1);
    CHECK_THAT(seen.notes[0],
               ContainsSubstring("passed over ") && ContainsSubstring("old_0/manifest.json: ") &&
                   ContainsSubstring(finding) && ContainsSubstring("restore the file"));
  }
  touch(manifest, experiment("finished", "{}"));
  CHECK(run_once(request) == "MFRC/" + kDefaultName + "_0 0");
}

TEST_CASE("A log root that cannot be written is an error of the configuration", "[folder]") {
  const labelprobe::support::TempFolder folder;
  touch(folder.path() / "logs");
  CHECK_THROWS_AS(Run::open(make_request(folder.path() / "logs")), ConfigError);
  RunRequest request = make_request(folder.path());
  request.category = "../up";
  CHECK_THROWS_AS(Run::open(request), ConfigError);
  CHECK_THROWS_AS(preview(request), ConfigError);
  request = make_request(folder.path());
  param_of(request, "task").value = std::string("\xFF");
  CHECK_THROWS_WITH(Run::open(request), ContainsSubstring("parameter 'task'"));
}
