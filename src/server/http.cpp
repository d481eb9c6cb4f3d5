#include "server/http.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <ctime>
#include <mutex>
#include <string_view>

#include <curl/curl.h>
#include <fmt/format.h>

#include "labelprobe/core/error.h"
#include "labelprobe/core/limits.h"

namespace labelprobe::server {

namespace {

// An answer has some kilobytes for each of its tokens; more than this is no answer.
constexpr long kMostConnectSeconds = 30;
// Longer waits are cut: a server that asks for a day has made a mistake, or the user has a quota.
constexpr double kLongestWait = 600;

void start_curl() {
  static std::once_flag once;
  std::call_once(once, [] { LABELPROBE_CHECK(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK); });
}

std::size_t append_body(char* bytes, std::size_t /*one*/, std::size_t n_bytes, void* to) {
  auto& body = *static_cast<std::string*>(to);
  if (body.size() + n_bytes > limits::kReplyBytes) return 0;  // ends the transfer
  body.append(bytes, n_bytes);
  return n_bytes;
}

int give_up_if_over(void* is_over, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return static_cast<const std::atomic<bool>*>(is_over)->load() ? 1 : 0;
}

bool is_of_this_machine(std::string_view address) {
  for (const std::string_view host : {"://localhost", "://127.", "://[::1]"}) {
    if (address.find(host) != std::string_view::npos) return true;
  }
  return false;
}

// Seconds, or a date (RFC 9110, section 10.2.3).
std::optional<double> parse_retry_after(std::string_view text) {
  double seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(seconds)) {
    const std::time_t date = curl_getdate(std::string(text).c_str(), nullptr);
    if (date == -1) return std::nullopt;
    seconds = std::difftime(date, std::time(nullptr));
  }
  return std::clamp(seconds, 0.0, kLongestWait);
}

}  // namespace

struct Connection::State {
  CURL* curl = nullptr;
  curl_slist* headers = nullptr;
  std::string body;
};

Connection::Connection(const std::string& key,
                       double timeout_seconds,
                       const std::atomic<bool>& is_over)
    : state_(std::make_unique<State>()) {
  start_curl();
  CURL* curl = state_->curl = curl_easy_init();
  LABELPROBE_CHECK(curl != nullptr);
  const auto add_header = [&](const std::string& line) {
    state_->headers = curl_slist_append(state_->headers, line.c_str());
  };
  add_header("Content-Type: application/json");
  add_header("Accept: application/json");
  add_header("Expect:");  // a server that is waited for needs no leave to be sent the prompt
  if (!key.empty()) add_header("Authorization: Bearer " + key);
  const auto timeout_ms = static_cast<long>(std::max(1.0, timeout_seconds * 1000));
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, state_->headers);
  curl_easy_setopt(curl, CURLOPT_USERAGENT, "labelprobe");
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(curl, CURLOPT_ACCEPT_ENCODING, "");
  curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, timeout_ms);
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS,
                   std::min(timeout_ms, kMostConnectSeconds * 1000));
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, append_body);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &state_->body);
  curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, give_up_if_over);
  curl_easy_setopt(curl, CURLOPT_XFERINFODATA, &is_over);
}

Connection::~Connection() {
  curl_easy_cleanup(state_->curl);
  curl_slist_free_all(state_->headers);
}

HttpReply Connection::get(const std::string& address) {
  curl_easy_setopt(state_->curl, CURLOPT_HTTPGET, 1L);
  return perform(address);
}

HttpReply Connection::post(const std::string& address, const std::string& json) {
  curl_easy_setopt(state_->curl, CURLOPT_POST, 1L);
  curl_easy_setopt(state_->curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(json.size()));
  curl_easy_setopt(state_->curl, CURLOPT_POSTFIELDS, json.c_str());
  return perform(address);
}

HttpReply Connection::perform(const std::string& address) {
  CURL* curl = state_->curl;
  state_->body.clear();
  curl_easy_setopt(curl, CURLOPT_URL, address.c_str());
  // No proxy knows what this machine's own address means here.
  curl_easy_setopt(curl, CURLOPT_PROXY, is_of_this_machine(address) ? "" : nullptr);
  if (const CURLcode code = curl_easy_perform(curl); code != CURLE_OK) {
    throw ConnectionError(code == CURLE_WRITE_ERROR
                              ? fmt::format("{}: expected at most {} MiB, found more", address,
                                            limits::kReplyBytes >> 20)
                              : fmt::format("{}: {}", address, curl_easy_strerror(code)));
  }
  HttpReply reply;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &reply.status);
  reply.body = std::move(state_->body);
  curl_header* header = nullptr;
  if (curl_easy_header(curl, "Retry-After", 0, CURLH_HEADER, -1, &header) == CURLHE_OK) {
    reply.retry_after_seconds = parse_retry_after(header->value);
  }
  return reply;
}

}  // namespace labelprobe::server
