public class InitPayment {

    public static void main(String[] args) throws IOException, InterruptedException {

        String API_KEY = "votre-apikey"; 

        String SITE_ID = "votre-site-id";

        String URL = "https://api-checkout.cinetpay.com/v2/payment";

        String payment = String.format("{\r\n"
                + "        \"amount\": 100,\r\n"
                + "        \"apikey\":  \"%s\",\r\n"
                + "        \"site_id\": \"%s\",\r\n"
                + "        \"currency\": \"XOF\",\r\n"
                + "        \"transaction_id\": \"id-de-paiement-unique\",\r\n"
                + "        \"description\": \"TRANSACTION DESCRIPTION\",\r\n"
                + "        \"return_url\": \"https://www.exemple.com/return\",\r\n"
                + "        \"notify_url\": \"https://www.exemple.com/notify\",\r\n"
                + "        \"customer_name\": \"Dje Bi\",\r\n"
                + "        \"customer_surname\": \"Jean-Marc\"\r\n"
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
