public class InitPayment {

    public static void main(String[] args) throws IOException, InterruptedException {

        String API_KEY = "votre-apikey"; 

        String SITE_ID = "votre-site-id";

        String URL = "https://api-checkout.cinetpay.com/v2/payment/check";

        String payment = String.format("{\r\n"
                + "        \"apikey\":  \"%s\",\r\n"
                + "        \"site_id\": \"%s\",\r\n"
                + "        \"transaction_id\": \"id-de-paiement\",\r\n"
                + "        \r\n"
                + "    }",API_KEY,SITE_ID);

        BodyPublisher requestBody = HttpRequest.BodyPublishers.ofString(payment);

        try {

            HttpRequest request = HttpRequest.newBuilder()
                    .uri(new URI(URL))
                    .header("Content-Type","application/json")
                    .POST(requestBody)
                    .build();

            HttpResponse<String> response = HttpClient.newHttpClient().send(request, BodyHandlers.ofString());

            System.out.println(response.body());

        } catch (URISyntaxException e) {

            e.printStackTrace();

        }

    }
}
