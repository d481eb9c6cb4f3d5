#include "labelprobe/weights/locate.h"

#include <cstdlib>
#include <optional>
#include <string>
#include <vector>

#include "labelprobe/core/error.h"

#include "support/catch.h"
#include "support/paths.h"
#include "support/weight_files.h"

namespace labelprobe::weights {
namespace {

using support::TempFolder;
using support::write_file;

// An environment variable for the length of a scope; a null value unsets it.
class Environment {
 public:
  Environment(const char* name, const char* held) : name_(name) {
    if (const char* before = std::getenv(name)) {
      before_ = before;
    }
    set(held);
  }
  ~Environment() { set(before_ ? before_->c_str() : nullptr); }
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;

 private:
  void set(const char* held) const {
    held != nullptr ? ::setenv(name_, held, 1) : ::unsetenv(name_);
  }
  const char* name_;
  std::optional<std::string> before_;
};

// None of the variables that name a cache is set; HOME is `home`.
struct BareEnvironment {
  explicit BareEnvironment(const std::filesystem::path& home_folder)
      : home("HOME", home_folder.c_str()) {}
  Environment hub_cache{"HF_HUB_CACHE", nullptr};
  Environment old_hub_cache{"HUGGINGFACE_HUB_CACHE", nullptr};
  Environment hf_home{"HF_HOME", nullptr};
  Environment xdg{"XDG_CACHE_HOME", nullptr};
  Environment home;
};

std::string message_for(const std::string& name) {
  try {
    return "found " + locate(name).string();
  } catch (const ModelError& error) {
    return error.what();
  }
}

std::filesystem::path add_cached(const std::filesystem::path& hub,
                                 const std::string& repository,
                                 const std::string& commit,
                                 const std::string& file = "config.json") {
  const auto snapshot = hub / repository / "snapshots" / commit;
  write_file(snapshot / file, "{}");
  return snapshot;
}

}  // namespace

TEST_CASE("A folder with config.json and a .gguf file are models themselves", "[unit]") {
  const TempFolder folder;
  write_file(folder.path() / "model/config.json", "{}");
  write_file(folder.path() / "model/weights.gguf", "GGUF");
  CHECK(locate((folder.path() / "model").string()) == folder.path() / "model");
  CHECK(locate((folder.path() / "model/weights.gguf").string()) ==
        folder.path() / "model/weights.gguf");
  CHECK_THAT(message_for((folder.path() / "model/config.json").string()),
             ContainsSubstring("expected a model folder or a .gguf file"));
}

TEST_CASE("A folder with one .gguf file and no config.json is that file", "[unit]") {
  const TempFolder folder;
  CHECK_THAT(message_for(folder.path().string()),
             ContainsSubstring("with config.json, or with one .gguf file, found neither"));
  write_file(folder.path() / "b.gguf", "GGUF");
  CHECK(locate(folder.path().string()) == folder.path() / "b.gguf");
  write_file(folder.path() / "a.gguf", "GGUF");
  CHECK_THAT(message_for(folder.path().string()),
             ContainsSubstring("found 2 GGUF files; name one of them: a.gguf b.gguf"));
}

TEST_CASE("A GGUF file is known by its first bytes, an adapter by its configuration", "[unit]") {
  const TempFolder folder;
  write_file(folder.path() / "sha256-0a1b", "GGUF\3");
  CHECK(locate((folder.path() / "sha256-0a1b").string()) == folder.path() / "sha256-0a1b");
  write_file(folder.path() / "X.GGUF", "GGUF\3");
  CHECK(locate((folder.path() / "X.GGUF").string()) == folder.path() / "X.GGUF");
  CHECK(locate(folder.path().string()) == folder.path() / "X.GGUF");
  write_file(folder.path() / "lora/adapter_config.json",
             R"({"base_model_name_or_path": "org/base", "peft_type": "LORA"})");
  CHECK_THAT(
      message_for((folder.path() / "lora").string()),
      ContainsSubstring("an adapter (LoRA), which is no whole model; merge it into org/base"));
}

TEST_CASE("Looks for hub names where huggingface_hub keeps them", "[unit]") {
  const TempFolder folder;
  const auto hub_in = [&](const char* place) { return folder.path() / place; };
  const BareEnvironment bare(folder.path() / "home");
  const auto in_home = add_cached(hub_in("home/.cache/huggingface/hub"), "models--org--m", "c1");
  CHECK(locate("org/m") == in_home);

  const Environment xdg("XDG_CACHE_HOME", hub_in("xdg").c_str());
  const auto in_xdg = add_cached(hub_in("xdg/huggingface/hub"), "models--org--m", "c2");
  CHECK(locate("org/m") == in_xdg);

  const Environment hf_home("HF_HOME", "~/hf");
  const auto in_hf_home = add_cached(hub_in("home/hf/hub"), "models--org--m", "c3");
  CHECK(locate("org/m") == in_hf_home);

  const Environment hub_cache("HF_HUB_CACHE", hub_in("cache").c_str());
  const auto in_cache = add_cached(hub_in("cache"), "models--org--m", "c4");
  CHECK(locate("org/m") == in_cache);
}

TEST_CASE("Takes the snapshot that refs/main names, or the only one", "[unit]") {
  const TempFolder folder;
  const BareEnvironment bare(folder.path());
  const Environment hub_cache("HF_HUB_CACHE", folder.path().c_str());
  const auto first = add_cached(folder.path(), "models--gpt2", "aaa");
  CHECK(locate("gpt2") == first);
  CHECK_THAT(warn_of_revision("gpt2"),
             ContainsSubstring("refs/main does not say which is current; the only revision there "
                               "is taken, aaa"));
  write_file(folder.path() / "models--gpt2/refs/main", "gone");
  CHECK(locate("gpt2") == first);
  CHECK_THAT(warn_of_revision("gpt2"), ContainsSubstring("refs/main names gone, which is not "
                                                         "there; the only revision there is "
                                                         "taken, aaa"));
  const auto second = add_cached(folder.path(), "models--gpt2", "bbb");
  write_file(folder.path() / "models--gpt2/refs/v1", "aaa");
  CHECK_THAT(message_for("gpt2"),
             ContainsSubstring("several revisions of it (aaa (v1), bbb), and refs/main names gone, "
                               "which is not there; name one of them, as in gpt2@aaa"));
  write_file(folder.path() / "models--gpt2/refs/main", "bbb\n");
  CHECK(locate("gpt2") == second);
  CHECK(warn_of_revision("gpt2").empty());
  for (const char* name : {"gpt2@aaa", "gpt2@v1", "gpt2@a"}) {
    CHECK(locate(name) == first);
    CHECK(warn_of_revision(name).empty());
  }
  CHECK_THAT(
      message_for("gpt2@v2"),
      ContainsSubstring("revision 'v2' is not in the Hugging Face cache, which holds aaa "
                        "(v1), bbb (main); download it with `hf download gpt2 --revision v2`"));
  write_file(folder.path() / "models--gpt2/refs/main", "../../secret");
  CHECK_THAT(message_for("gpt2"), ContainsSubstring("refs/main does not say which is current"));
  const auto gguf = add_cached(folder.path(), "models--org--quantised", "ccc", "q.gguf");
  CHECK(locate("org/quantised") == gguf / "q.gguf");
}

TEST_CASE("Lists the models of the cache, without what is no model", "[unit]") {
  const TempFolder folder;
  const BareEnvironment bare(folder.path());
  const Environment hub_cache("HF_HUB_CACHE", (folder.path() / "hub").c_str());
  CHECK(cached_models().empty());
  const auto llama = add_cached(folder.path() / "hub", "models--org--llama", "c1");
  const auto gpt2 = add_cached(folder.path() / "hub", "models--gpt2", "c2");
  add_cached(folder.path() / "hub", "models--org--adapter", "c3", "readme.md");
  add_cached(folder.path() / "hub", "datasets--org--texts", "c4");
  write_file(folder.path() / "hub/version.txt", "1");
  const std::vector<CachedModel> models = cached_models();
  REQUIRE(models.size() == 2);
  CHECK(models[0].name == "gpt2");
  CHECK(models[0].path == gpt2);
  CHECK(models[1].name == "org/llama");
  CHECK(models[1].path == llama);
}

TEST_CASE("A model that is not there ends with the command that downloads it", "[unit]") {
  const TempFolder folder;
  const BareEnvironment bare(folder.path());
  const std::string message = message_for("meta-llama/Llama-3.2-1B");
  CHECK_THAT(message, ContainsSubstring("model 'meta-llama/Llama-3.2-1B': no such folder"));
  CHECK_THAT(
      message,
      ContainsSubstring(
          (folder.path() / ".cache/huggingface/hub/models--meta-llama--Llama-3.2-1B").string()));
  CHECK_THAT(message, ContainsSubstring("`hf download meta-llama/Llama-3.2-1B`"));
}

TEST_CASE("What can be no hub name is taken for a path that is missing", "[unit]") {
  const TempFolder folder;
  const BareEnvironment bare(folder.path());
  for (const char* name : {"", "./nowhere", "a/b/c", "/no/such/model", "../x", "org/..", "a b",
                           "org/", "missing.gguf", "org/missing.gguf"}) {
    INFO(name);
    CHECK_THAT(message_for(name), ContainsSubstring("found no such file or folder"));
  }
}

}  // namespace labelprobe::weights
